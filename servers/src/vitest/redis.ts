// Global setup of the vitest projects that need Redis.
import { redis, shareServer } from "../find.ts";

export const setup = (): Promise<void> => shareServer(redis);
