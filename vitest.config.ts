import { defaultServerConditions } from "vite";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import "./tools/node-version.js";

function project(name: string, root: string, include: string): TestProjectInlineConfiguration {
  return { extends: true, test: { name, root, include: [include] } };
}

export default defineConfig({
  // Packages of this repository resolve to their sources. For tests on Node only `ssr.resolve` has an effect.
  ssr: { resolve: { conditions: ["@perdure/source", ...defaultServerConditions] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "core",
          root: "packages/core",
          include: ["src/**/*.test.ts"],
          // `npm run check` judges the sources; here only the type tests count.
          typecheck: { enabled: true, include: ["src/**/*.test-d.ts"], ignoreSourceErrors: true },
        },
      },
      project("storage-sql", "packages/storage-sql", "test/**/*.test.ts"),
      project("storage-sqlite", "packages/storage-sqlite", "test/**/*.test.ts"),
      project("conformance", "conformance", "test/**/*.test.ts"),
      project("examples", "examples", "*/test/**/*.test.ts"),
      project("bench", "bench", "test/**/*.test.ts"),
      project("docs", "docs", "test/**/*.test.ts"),
      project("tools", "tools", "**/*.test.ts"),
    ],
    coverage: { provider: "v8", include: ["packages/*/src/**", "conformance/src/**"] },
  },
});
