// Answers requests to AWS by the policies that apply: simulate.cjs MODULES, a JSON list of simulations on standard input.
// The answer is a list of Allowed, ExplicitlyDenied, ImplicitlyDenied, or the reason why a request is none.
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const { runSimulation } = createRequire(join(process.argv[2], "here.js"))("@cloud-copilot/iam-simulate");

async function answer(simulation) {
  const result = await runSimulation(simulation, {});
  return result.resultType === "error" ? `no request: ${JSON.stringify(result.errors)}` : result.overallResult;
}

Promise.all(JSON.parse(readFileSync(0, "utf8")).map(answer)).then((answers) => console.log(JSON.stringify(answers)));
