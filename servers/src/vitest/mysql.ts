// Global setup of the vitest projects that need MariaDB or MySQL.
import { mysql, shareServer } from "../find.ts";

export const setup = (): Promise<void> => shareServer(mysql);
