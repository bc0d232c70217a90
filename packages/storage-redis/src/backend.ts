import type { StorageBackend, StorageInfo } from "@perdure/core/storage";
import { infoOf } from "./info.ts";
import type { Settings } from "./options.ts";

/** The port over scripts that run in the server. */
export class RedisBackend {
  readonly info: StorageInfo;

  constructor(_settings: Settings) {
    this.info = infoOf("memory");
  }
}
// oxlint-disable-next-line no-redeclare
export interface RedisBackend extends StorageBackend {}
