import type { BackendUnderTest } from "@perdure/conformance";
import { mysql } from "@perdure/storage-mysql";
import { startMariadb } from "perdure-servers";
import shared from "../../../../conformance/backends/mysql.ts";
import { noteOwnServer, ownUrl } from "../../../../conformance/backends/process-store.ts";

/** A subject whose own servers answer a second before they write, though it says that they sync. */
const subject: BackendUnderTest = {
  ...shared,
  name: "unsynced",
  module: new URL(import.meta.url),
  async startServer() {
    const server = await startMariadb({ settings: { "innodb-flush-log-at-trx-commit": 0 } });
    noteOwnServer(server);
    return server;
  },
  async open(options) {
    const url = ownUrl(options.server);
    if (url === undefined) return shared.open(options);
    return mysql({ url, namespace: options.namespace, maxConnections: 4, durability: "bounded-loss" });
  },
};

export default subject;
