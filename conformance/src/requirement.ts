import type { StorageInfo } from "@perdure/core/storage";
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
  residue: {
    unmet: "the subject does not offer `residue`",
    met: (subject) => subject.residue !== undefined,
  },
  crash: {
    unmet: "crash tests need a `module`, a durability beyond memory, and a store that many processes may open",
    met: ({ module }, { capabilities }) =>
      module !== undefined && capabilities.durability !== "memory" && capabilities.processes === "many",
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
} as const satisfies Record<string, Rule>;

/** Why a requirement is not met, or undefined if it is. */
export function unmet(
  requirement: Requirement | undefined,
  subject: BackendUnderTest,
  info: StorageInfo,
): string | undefined {
  if (requirement === undefined) return undefined;
  const rule: Rule = REQUIREMENTS[requirement];
  return rule.met(subject, info) ? undefined : rule.unmet;
}
