import { workflow } from "@perdure/core";
import { z } from "zod";
import { addToCrm, createAccount, prepareWorkspace, sendMail, subscribe } from "./activities.ts";

/** Text such as `"1d"` or `"250ms"`. */
const duration = z.templateLiteral([z.number(), z.enum(["ms", "s", "m", "h", "d", "w"])]);

/** The first week of a customer. Between two mails the run sleeps: it is in no worker's hands then, and costs nothing. */
export const onboarding = workflow(
  {
    name: "onboarding",
    input: z.object({
      email: z.email(),
      tipsAfter: duration.default("1d"),
      surveyAfter: duration.default("7d"),
    }),
  },
  async (ctx, { email, tipsAfter, surveyAfter }) => {
    const { account } = await ctx.run(createAccount, { email });
    await ctx.run(sendMail, { email, template: "welcome" });

    const [{ workspace }, { contact }] = await Promise.all([
      ctx.run(prepareWorkspace, { account }),
      ctx.run(addToCrm, { email }),
      ctx.run(subscribe, { email }),
    ]);

    ctx.logger.info(`${email} is left alone for ${tipsAfter}`);
    await ctx.sleep(tipsAfter);
    await ctx.run(sendMail, { email, template: "tips" });

    ctx.logger.info(`${email} is left alone for ${surveyAfter}`);
    await ctx.sleep(surveyAfter);
    await ctx.run(sendMail, { email, template: "survey" });

    return { account, workspace, contact };
  },
);
