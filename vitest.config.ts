import { fileURLToPath } from "node:url";
import { skippedBackends } from "perdure-servers/skipped";
import { defaultServerConditions } from "vite";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import "./tools/node-version.js";

type Server = "postgres" | "mysql" | "redis" | "redis-cluster" | "cosmos";

/** @param servers found or started before the project's tests */
function project(name: string, root: string, include: string, servers: Server[] = []): TestProjectInlineConfiguration {
  const setups = servers.map((server) => fileURLToPath(import.meta.resolve(`perdure-servers/vitest/${server}`)));
  return { extends: true, test: { name, root, include: [include], globalSetup: setups } };
}

function adapter(backend: string, servers: Server[] = []): TestProjectInlineConfiguration[] {
  const folder = `storage-${backend}`;
  if (skippedBackends().includes(backend)) return [];
  const adapterProject = project(folder, `packages/${folder}`, "test/**/*.test.ts", servers);
  return [{ ...adapterProject, test: { ...adapterProject.test, typecheck: typesIn("test") } }];
}

/** Each of its tests starts servers, which takes its time on a busy machine. */
function starting({ test, ...rest }: TestProjectInlineConfiguration): TestProjectInlineConfiguration {
  return { ...rest, test: { ...test, testTimeout: 60_000, hookTimeout: 60_000 } };
}

/** Type tests. `npm run check` judges all types; here only theirs count. */
function typesIn(folder: string) {
  return { enabled: true, include: [`${folder}/**/*.test-d.ts`], ignoreSourceErrors: true };
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
          typecheck: typesIn("src"),
        },
      },
      project("storage-sql", "packages/storage-sql", "test/**/*.test.ts"),
      ...adapter("sqlite"),
      ...adapter("file"),
      ...adapter("postgres", ["postgres"]),
      ...adapter("mysql", ["mysql"]),
      ...adapter("redis", ["redis", "redis-cluster"]),
      ...adapter("cosmos", ["cosmos"]),
      starting(project("servers", "servers", "test/**/*.test.ts")),
      project("conformance", "conformance", "test/**/*.test.ts"),
      project("examples", "examples", "!(custom-backend)/test/**/*.test.ts", ["postgres", "mysql"]),
      project("custom-backend", "examples/custom-backend", "test/**/*.test.ts"),
      project("bench", "bench", "test/**/*.test.ts", ["postgres", "mysql", "redis"]),
      project("docs", "docs", "test/**/*.test.ts"),
      project("tools", "tools", "**/*.test.ts"),
    ],
    coverage: { provider: "v8", include: ["packages/*/src/**", "conformance/src/**"] },
  },
});
