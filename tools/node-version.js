// Imported before anything else by the root's scripts and by vitest: an old Node otherwise fails somewhere deep inside a
// tool. JavaScript, because the Node that it turns away cannot read TypeScript.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 12)) {
  console.error(
    `Perdure needs Node 22.12 or newer, and this is Node ${process.versions.node}: use a newer one, or one of the root's npm scripts.`,
  );
  process.exit(1);
}
if (!process.features.typescript) {
  console.error(
    `Working on Perdure needs a Node that runs TypeScript files (22.18 or newer), and this is Node ${process.versions.node}.`,
  );
  process.exit(1);
}
