// Global setup of the vitest projects that need PostgreSQL.
import { postgres, shareServer } from "../find.ts";

export const setup = (): Promise<void> => shareServer(postgres);
