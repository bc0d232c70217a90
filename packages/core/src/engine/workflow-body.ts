import type { AnyWorkflow } from "../define/workflow.ts";
import { validateNow } from "../errors/validate.ts";
import { createContext } from "./context.ts";
import type { WorkflowBody } from "./execution.ts";
import { runSteps } from "./step-command.ts";

/** The code of a definition, run against a context. Its output is checked by the definition's schema. */
export function workflowBody(definition: AnyWorkflow): WorkflowBody {
  return {
    checkInput: (input) => {
      if (definition.inputSchema === null) return input;
      return validateNow(definition.inputSchema, input, `input of workflow "${definition.name}"`);
    },
    initialState: (input) => definition.initialState?.(input),
    checkState: definition.checkState,
    run: async (execution, input) => {
      const context = createContext(execution);
      if (definition.steps.length > 0) await runSteps(execution, definition.steps, context, input);
      const output: unknown = await definition.run(context, input as never);
      if (definition.outputSchema === null) return output;
      return validateNow(definition.outputSchema, output, `output of workflow "${definition.name}"`);
    },
  };
}
