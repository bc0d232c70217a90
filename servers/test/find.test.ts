import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { machine, type Surroundings } from "../src/binaries.ts";
import type { TestServer } from "../src/daemon.ts";
import { findServer, type Kind, mysql, postgres, redis, redisCluster } from "../src/find.ts";
import { skippedBackends, startRedis } from "../src/index.ts";
import { freePort } from "../src/port.ts";
import { query } from "./queries.ts";

/** A machine on which nothing is installed. */
const bare = (environment: Record<string, string> = {}): Surroundings => ({
  environment: { PATH: "", ...environment },
  folders: [],
});

const sql = ["select 1 as one", [{ one: 1 }]] as const;
const kinds = [
  { kind: postgres, variable: "PERDURE_POSTGRES_URL", programs: "initdb and postgres", question: sql },
  { kind: mysql, variable: "PERDURE_MYSQL_URL", programs: "mariadb-install-db and mariadbd", question: sql },
  { kind: redis, variable: "PERDURE_REDIS_URL", programs: "redis-server", question: ["ping", "PONG"] },
  { kind: redisCluster, variable: "PERDURE_REDIS_CLUSTER_URL", programs: "redis-server", question: ["ping", "PONG"] },
] as const;

for (const { kind, variable, programs, question } of kinds) {
  describe.runIf(!skippedBackends().includes(kind.backend))(`a ${kind.product} for tests`, () => {
    type Started = Omit<TestServer, "folder">;
    let server: Started;
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
      const started: Started[] = [];
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
        expect(await query(url, question[0])).toEqual(question[1]);
        expect(surroundings.environment).toHaveProperty(variable, url);
        expect(await findServer(lonely, surroundings)).toEqual({ url });
        expect(started).toHaveLength(1);
      } finally {
        await started[0]?.stop();
      }
      await expect(query(url, question[0])).rejects.toThrow("ECONNREFUSED");
    });

    it("cannot be had: says what was tried, and what to do", async () => {
      const nobody = findServer({ ...kind, usual: [silent] }, bare());
      const { username, host } = new URL(silent);
      const asked = username === "" ? host : `${username} at ${host}`;
      await expect(nobody).rejects.toThrow(`No ${kind.product} for tests: ${variable} is not set; ${asked}: `);
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

describe.runIf(!skippedBackends().includes("redis"))("a Redis that already listens", () => {
  it.for([
    { why: "it has no append-only file", kind: redis, settings: { appendonly: "no" } },
    { why: "it is a node of a Cluster", kind: redis, settings: { "cluster-enabled": "yes" } },
    { why: "it is no node of a Cluster", kind: redisCluster, settings: {} },
    { why: "the Cluster's state is fail", kind: redisCluster, settings: { "cluster-enabled": "yes" } },
  ])("is of no use to tests where $why", async ({ why, kind, settings }) => {
    const server = await startRedis({ settings });
    const { url } = server;
    try {
      const nobody = findServer({ ...kind, usual: [url] }, bare());
      await expect(nobody).rejects.toThrow(`${new URL(url).host}: ${why}`);
    } finally {
      await server.stop();
    }
  });

  it("is of no use to tests where it is a replica", async () => {
    const master = await startRedis();
    const replica = await startRedis({ settings: { replicaof: `${master.host} ${master.port}` } });
    try {
      await query(master.url, "set kept 1", "wait 1 1000");
      expect(await query(replica.url, "get kept")).toBe("1");
      await expect(findServer({ ...redis, usual: [replica.url] }, bare())).rejects.toThrow("it is a replica");
    } finally {
      await Promise.all([replica.stop(), master.stop()]);
    }
  });
});

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
