import { execFile } from "node:child_process";
import { promisify } from "node:util";

const minutes = 60_000;

/** Installs a Debian package. Whether its service starts does not matter: nobody counts on it. */
export async function installWithApt(
  aptGet: string,
  debianPackage: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  console.error(`Installing ${debianPackage} with apt-get, for tests.`);
  const options = { env: { ...environment, DEBIAN_FRONTEND: "noninteractive" }, timeout: 10 * minutes };
  const run = (...args: readonly string[]): Promise<unknown> => promisify(execFile)(aptGet, args, options);
  const install = ["-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", debianPackage];
  try {
    // A fresh machine has no list of packages, or an old one.
    await run(...install).catch(() => run("update").then(() => run(...install)));
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() || String(error);
    throw new Error(`apt-get install ${debianPackage} failed: ${said.slice(-500)}`, { cause: error });
  }
}
