import type { StorageInfo, TransactionalVerb } from "@perdure/core/storage";
import { canLimitFiles } from "./crash/file-limit.ts";
import type { BackendUnderTest } from "./subject.ts";

/** What a case needs beyond the verbs: something that the backend declares or that its author offers. */
export type Requirement = keyof typeof REQUIREMENTS;

interface Rule {
  /** Completes "Not applicable: …". */
  readonly unmet: string;
  met(subject: BackendUnderTest, info: StorageInfo): boolean;
}

const REQUIREMENTS = {
  advance: {
    unmet: "the subject does not offer `advance`, and the case needs hours",
    met: (subject) => subject.advance !== undefined,
  },
  "step-back": {
    unmet: "the subject does not offer `stepBack`",
    met: (subject) => subject.stepBack !== undefined,
  },
  "driven-clock": {
    unmet: "the subject does not offer `openOn`: simulations need a store whose only clock is theirs",
    met: (subject) => subject.openOn !== undefined,
  },
  residue: {
    unmet: "the subject does not offer `residue`",
    met: (subject) => subject.residue !== undefined,
  },
  crash: {
    unmet: "crash tests need a `module`, a durability beyond memory, and a store that many processes may open",
    met: ({ module }, { capabilities }) =>
      module !== undefined && capabilities.durability !== "memory" && capabilities.processes === "many",
  },
  restart: {
    unmet: "what a store still has after a process was killed needs a `module`, and a durability beyond memory",
    met: ({ module }, { capabilities }) => module !== undefined && capabilities.durability !== "memory",
  },
  "one-process": {
    unmet:
      "the store is not declared as one that outlives its process and that only one process may open, or there is no `module`",
    met: ({ module }, { capabilities }) =>
      module !== undefined && capabilities.durability !== "memory" && capabilities.processes === "one",
  },
  network: {
    unmet: "the subject does not offer `server`: nothing lies between client and store that could break",
    met: (subject) => subject.server !== undefined,
  },
  "own-server": {
    unmet: "the subject does not offer `startServer`, or declares that what was acknowledged may be lost",
    met: (subject, { capabilities: { durability } }) =>
      subject.startServer !== undefined && durability !== "memory" && durability !== "bounded-loss",
  },
  "lossy-server": {
    unmet: "the subject does not offer `startServer` and `lossMs`, or does not declare that moments may be lost",
    met: (subject, { capabilities: { durability } }) =>
      subject.startServer !== undefined && subject.lossMs !== undefined && durability === "bounded-loss",
  },
  "many-machines": {
    unmet: "the subject does not offer `server`: its clients share a machine, and that machine's clock",
    met: (subject, { capabilities }) => subject.server !== undefined || capabilities.clock.kind === "client",
  },
  embedded: {
    unmet: "the subject is not declared as `embedded`, or there is no `prlimit` here (of Linux)",
    met: (subject) => subject.embedded === true && canLimitFiles(),
  },
  forgetting: {
    unmet: "the subject does not offer `forgetCaches`",
    met: (subject) => subject.forgetCaches !== undefined,
  },
  wakeups: {
    unmet: "wakeups are declared as none",
    met: (_, { capabilities }) => capabilities.wakeups !== "none",
  },
  push: {
    unmet: "wakeups are not declared as push",
    met: (_, { capabilities }) => capabilities.wakeups === "push",
  },
  "shared-clock": {
    unmet: "the clock is declared as the client's",
    met: (_, { capabilities }) => capabilities.clock.kind === "shared",
  },
  "client-clock": {
    unmet: "the clock is declared as shared",
    met: (_, { capabilities }) => capabilities.clock.kind === "client",
  },
  "tx-createRuns": joins("createRuns"),
  "tx-deliver": joins("deliver"),
  "tx-commitTasks": joins("commitTasks"),
} as const satisfies Record<string, Rule>;

/** The verb is proven to join transactions. Who declares that it does has to offer `transaction`: nothing else could show it. */
function joins(verb: TransactionalVerb): Rule {
  return {
    unmet: `transactions are not declared for ${verb}`,
    met: (_, { capabilities }) => capabilities.transactions.includes(verb),
  };
}

/** Why the first of the requirements that is not met is not, or undefined if all are. */
export function unmet(
  requirements: Requirement | readonly Requirement[],
  subject: BackendUnderTest,
  info: StorageInfo,
): string | undefined {
  const rules: readonly Rule[] = [requirements].flat().map((requirement: Requirement) => REQUIREMENTS[requirement]);
  return rules.find((rule) => !rule.met(subject, info))?.unmet;
}
