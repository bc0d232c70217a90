// Global setup of the vitest projects that need Cosmos.
import { cosmos, shareServer } from "../find.ts";

export const setup = (): Promise<void> => shareServer(cosmos);
