import { activity, NonRetryableError } from "@perdure/core";
import { inLedger } from "./ledger.ts";

// In a school these would call a language model and a learning platform, and hand them `idempotencyKey`. Here each
// execution leaves its trace in a ledger, and what goes wrong goes wrong in the same way every time.

/** Questions and answers by topic. */
const QUIZZES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  arithmetic: {
    "What is 6 × 7?": "42",
    "What is 2 to the power of 10?": "1024",
    "What is the square root of 144?": "12",
  },
};

/** The model is overloaded at the first attempt. */
export const generateQuiz = activity(
  { name: "generate-quiz", retry: { maximumAttempts: 5, delay: ["300ms", "5s", "1m"], jitter: 0 }, timeout: "1m" },
  inLedger(async ({ topic }: { topic: string }, { attempt }) => {
    if (attempt === 1) throw new Error("the model is overloaded");
    const quiz = QUIZZES[topic];
    if (quiz === undefined) throw new NonRetryableError(`nobody knows a quiz about ${topic}`);
    return Object.keys(quiz);
  }),
);

export const publishQuiz = activity(
  { name: "publish-quiz" },
  inLedger(async ({ student }: { student: string; questions: number }) => ({ url: `/quiz-of/${student}` })),
);

export const remind = activity(
  { name: "remind" },
  inLedger(async ({ student }: { student: string }) => ({ reminded: student })),
);

/** One point for a right answer, none for a wrong one. */
export const grade = activity(
  { name: "grade" },
  inLedger(async ({ topic, question, answer }: { topic: string; question: string; answer: string }) =>
    QUIZZES[topic]?.[question] === answer.trim() ? 1 : 0,
  ),
);

export const publishGrade = activity(
  { name: "publish-grade" },
  inLedger(async ({ student }: { student: string; points: number }) => ({ url: `/grade-of/${student}` })),
);
