import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { obtainBinaries, type Surroundings } from "../src/binaries.ts";

/** Writes its arguments down; installs a program of the package's name, if it has updated before. */
const aptGet = `#!/bin/sh
here=\${0%/*}
echo "$*" >> "$here/calls"
case "$*" in
  update) : > "$here/updated" ;;
  *broken*) echo "E: Unable to locate package" >&2; exit 100 ;;
  *) [ -f "$here/updated" ] && /bin/cp -p "$0" "$here/imaginary" ;;
esac
`;

describe("programs", () => {
  let folder: string;
  let surroundings: Surroundings;
  const place = (name: string, text = "#!/bin/sh\n"): Promise<void> =>
    writeFile(join(folder, name), text, { mode: 0o755 });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "perdure-binaries-"));
    surroundings = { environment: { PATH: folder }, folders: [] };
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true });
  });

  it("come from PATH", async () => {
    await Promise.all([place("imaginary"), place("second")]);
    expect(await obtainBinaries(["second", "imaginary"], "imaginary", surroundings)).toEqual([
      join(folder, "second"),
      join(folder, "imaginary"),
    ]);
  });

  it("are installed as root on Debian, after an update where the package is unknown", async () => {
    await place("apt-get", aptGet);
    vi.spyOn(process, "getuid").mockReturnValue(0);
    const told = vi.spyOn(console, "error").mockReturnValue();
    expect(await obtainBinaries(["imaginary"], "imaginary-server", surroundings)).toEqual([join(folder, "imaginary")]);
    expect(told).toHaveBeenCalledExactlyOnceWith("Installing imaginary-server with apt-get, for tests.");
    const install = "-o DPkg::Lock::Timeout=300 install -y --no-install-recommends imaginary-server";
    expect(await readFile(join(folder, "calls"), "utf8")).toBe(`${install}\nupdate\n${install}\n`);
  });

  it("that cannot be installed: why", async () => {
    await place("apt-get", aptGet);
    vi.spyOn(process, "getuid").mockReturnValue(0);
    vi.spyOn(console, "error").mockReturnValue();
    await expect(obtainBinaries(["imaginary"], "broken", surroundings)).rejects.toThrow(
      "apt-get install broken failed: E: Unable to locate package",
    );
  });

  it("are not installed by anybody but root", async () => {
    await place("apt-get", aptGet);
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    await expect(obtainBinaries(["imaginary"], "imaginary", surroundings)).rejects.toThrow(
      "imaginary not found in PATH; not installed, because that needs root",
    );
  });
});
