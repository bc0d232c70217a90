// A process that starts a server and never stops it. Says where it is, and ends as its argument says.
import { findServer, postgres } from "../src/find.ts";
import { freePort } from "../src/port.ts";
import { machine } from "../src/binaries.ts";
import { startPostgres } from "../src/postgres.ts";

const quiet = `postgres://postgres@127.0.0.1:${await freePort()}/postgres`;
let folder = "";
const kind: typeof postgres = {
  ...postgres,
  usual: [quiet],
  start: async (options, surroundings) => {
    const server = await startPostgres(options, surroundings);
    folder = server.folder;
    return server;
  },
};
const { url } = await findServer(kind, { ...machine, environment: { PATH: process.env["PATH"] } });
process.stdout.write(`${JSON.stringify({ url, folder })}\n`);

if (process.argv[2] === "fail") throw new Error("planned");
if (process.argv[2] === "wait") setInterval(() => {}, 1_000);
