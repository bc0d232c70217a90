import { access, constants } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { machine, type Surroundings } from "../src/binaries.ts";
import type { TestServer } from "../src/daemon.ts";
import { findServer, type Kind, mysql, postgres } from "../src/find.ts";
import { skippedBackends } from "../src/index.ts";
import { freePort } from "../src/port.ts";
import { query } from "./queries.ts";

/** A machine on which nothing is installed. */
const bare = (environment: Record<string, string> = {}): Surroundings => ({
  environment: { PATH: "", ...environment },
  folders: [],
});

const kinds = [
  { kind: postgres, variable: "PERDURE_POSTGRES_URL", programs: "initdb and postgres" },
  { kind: mysql, variable: "PERDURE_MYSQL_URL", programs: "mariadb-install-db and mariadbd" },
];

for (const { kind, variable, programs } of kinds) {
  describe.runIf(!skippedBackends().includes(kind.backend))(`a ${kind.product} for tests`, () => {
    let server: TestServer;
    /** A URL where nobody listens. */
    let silent: string;
    beforeAll(async () => {
      server = await kind.start({}, machine);
      const url = new URL(server.url);
      url.port = String(await freePort());
      silent = url.href;
    });
    afterAll(() => server.stop());

    it("is the one that the environment names, though another one listens", async () => {
      const url = server.url.replace("127.0.0.1", "localhost");
      expect(await findServer({ ...kind, usual: [server.url] }, bare({ [variable]: url }))).toEqual({ url });
    });

    it("is the one that listens already and lets us in", async () => {
      const surroundings = bare();
      expect(await findServer({ ...kind, usual: [silent, server.url] }, surroundings)).toEqual({ url: server.url });
      expect(surroundings.environment[variable]).toBeUndefined();
    });

    it("is started where nobody listens, once for this process and its children", async () => {
      const surroundings = { ...machine, environment: { PATH: process.env["PATH"] } };
      const started: TestServer[] = [];
      const lonely: Kind = {
        ...kind,
        usual: [silent],
        start: async (...args) => {
          started.push(await kind.start(...args));
          return started[0]!;
        },
      };
      const { url } = await findServer(lonely, surroundings);
      try {
        expect(await query(url, "select 1 as one")).toEqual([{ one: 1 }]);
        expect(surroundings.environment).toHaveProperty(variable, url);
        expect(await findServer(lonely, surroundings)).toEqual({ url });
        expect(started).toHaveLength(1);
      } finally {
        await started[0]?.stop();
      }
      await expect(access(started[0]!.folder, constants.F_OK)).rejects.toThrow("ENOENT");
    });

    it("cannot be had: says what was tried, and what to do", async () => {
      const nobody = findServer({ ...kind, usual: [silent] }, bare());
      await expect(nobody).rejects.toThrow(
        `No ${kind.product} for tests: ${variable} is not set; ${new URL(silent).username} at ${new URL(silent).host}: `,
      );
      await expect(nobody).rejects.toThrow(
        `${programs} not found in PATH; not installed, because there is no apt-get. `,
      );
      await expect(nobody).rejects.toThrow(
        `set ${variable}, or leave its tests out with PERDURE_SKIP_BACKENDS=${kind.backend}`,
      );
    });

    it("does not answer under the URL that the environment names: no other is taken, and the password stays secret", async () => {
      const named = new URL(silent);
      named.password = "geheim";
      const refused = findServer({ ...kind, usual: [server.url] }, bare({ [variable]: named.href }));
      await expect(refused).rejects.toThrow(`The server of ${variable} is of no use: `);
      await expect(refused).rejects.not.toThrow("geheim");
    });

    it("could not be had when the tests began: each test says so at once", async () => {
      const known = bare({ [`${variable}_PROBLEM`]: "No server, because." });
      await expect(findServer({ ...kind, usual: [server.url] }, known)).rejects.toThrow("No server, because.");
    });
  });
}

it("a backend that is left out has no server", async () => {
  vi.stubEnv("PERDURE_SKIP_BACKENDS", " postgres,MySQL,");
  try {
    expect(skippedBackends()).toEqual(["mysql", "postgres"]);
    await expect(findServer(postgres, machine)).rejects.toThrow(
      "PERDURE_SKIP_BACKENDS leaves the tests of postgres out",
    );
  } finally {
    vi.unstubAllEnvs();
  }
});
