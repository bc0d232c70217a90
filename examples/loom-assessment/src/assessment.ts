import { isPerdureError, signal, workflow } from "@perdure/core";
import { z } from "zod";
import { generateQuiz, grade, publishGrade, publishQuiz, remind } from "./activities.ts";

/** Text such as `"1d"` or `"250ms"`. */
const duration = z.templateLiteral([z.number(), z.enum(["ms", "s", "m", "h", "d", "w"])]);

/** Sent by the student, one for each question, in any order. */
export const answered = signal("answered", z.object({ question: z.number().int().min(0), text: z.string() }));

/** How an assessment is going; anybody may read it through the run's handle. */
interface AssessmentState {
  readonly questions: readonly string[];
  /** By the question's place. */
  readonly answers: Readonly<Record<number, string>>;
  readonly reminders: number;
  readonly points: readonly number[];
}

const initial: AssessmentState = { questions: [], answers: {}, reminders: 0, points: [] };

/** A quiz about a topic: made, answered by a student, graded. Where it is shows in its history, step by step. */
export const assessment = workflow({
  name: "assessment",
  description: "A quiz about a topic: made, answered by a student, graded.",
  input: z.object({
    student: z.string(),
    topic: z.string(),
    /** How long a student may say nothing before a reminder is sent. */
    patience: duration.default("2d"),
    /** How long a grade is kept back, in case the student asks for another look. */
    review: duration.default("1w"),
  }),
  state: { initial },
  steps: (step) => [
    step("generate-quiz", async (ctx, { topic }) => {
      ctx.state.set("questions", await ctx.run(generateQuiz, { topic }));
    }),

    step("publish-quiz", async (ctx, { student }) => {
      await ctx.run(publishQuiz, { student, questions: ctx.state.get("questions").length });
    }),

    // Answers come when they come, also before the wait: each is kept, and taken once. After two reminders it is over.
    step("wait-for-answers", async (ctx, { student, patience }) => {
      while (Object.keys(ctx.state.get("answers")).length < ctx.state.get("questions").length) {
        try {
          const { question, text } = await ctx.waitFor(answered, { timeout: patience });
          ctx.state.update(({ answers }) => ({ answers: { ...answers, [question]: text } }));
        } catch (error) {
          if (!isPerdureError(error, "timed-out")) throw error;
          if (ctx.state.get("reminders") === 2) return;
          await ctx.run(remind, { student });
          ctx.state.update(({ reminders }) => ({ reminders: reminders + 1 }));
        }
      }
    }),

    step("grade", async (ctx, { topic }) => {
      const { questions, answers } = ctx.state.snapshot();
      const graded = questions.map((question, at) => ctx.run(grade, { topic, question, answer: answers[at] ?? "" }));
      ctx.state.set("points", await Promise.all(graded));
    }),

    step("review", (ctx, { review }) => ctx.sleep(review)),

    step("publish-grade", async (ctx, { student }) => {
      const points = ctx.state.get("points").reduce((sum, one) => sum + one, 0);
      await ctx.run(publishGrade, { student, points });
    }),
  ],
  output: (ctx, { student }) => {
    const { points, reminders } = ctx.state.snapshot();
    return { student, points: points.reduce((sum, one) => sum + one, 0), of: points.length, reminders };
  },
});
