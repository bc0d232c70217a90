import type { ConformanceCase } from "../../case.ts";
import { activityCases } from "./activities.ts";
import { activityTaskWorkerCases } from "./activity-task-workers.ts";
import { activityTaskCases } from "./activity-tasks.ts";
import { cancelCases } from "./cancel.ts";
import { checkpointCases } from "./checkpoints.ts";
import { childCases } from "./children.ts";
import { codeCases } from "./code.ts";
import { continueCases } from "./continue.ts";
import { forkCases } from "./forks.ts";
import { lengthCases } from "./length.ts";
import { recoveryCases } from "./recovery.ts";
import { sharedResultCases } from "./shared-results.ts";
import { signalCases } from "./signals.ts";
import { startCases } from "./starts.ts";
import { stepCases } from "./steps.ts";
import { timerCases } from "./timers.ts";
import { transactionCases } from "./transactions.ts";
import { valueCases } from "./values.ts";

/** Replay: the real engine over the backend, each primitive, with runs kept in memory and without. */
export const L2: readonly ConformanceCase[] = [
  ...activityCases,
  ...activityTaskCases,
  ...activityTaskWorkerCases,
  ...checkpointCases,
  ...sharedResultCases,
  ...valueCases,
  ...signalCases,
  ...timerCases,
  ...childCases,
  ...cancelCases,
  ...recoveryCases,
  ...stepCases,
  ...codeCases,
  ...continueCases,
  ...forkCases,
  ...startCases,
  ...lengthCases,
  ...transactionCases,
];
