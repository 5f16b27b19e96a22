// Builds the dashboard: src/ -> dist/{index.html,app.js,app.css,favicon.svg}. The four files
// are embedded in the vedette binary. With --test it bundles test/*.test.ts -> out/test/
// instead, because node 18 cannot run TypeScript. With --watch it rebuilds on change.
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));

const common = {
    bundle: true,
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
};

async function buildTests() {
    rmSync("out/test", { recursive: true, force: true });
    const tests = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
    await esbuild.build({
        ...common,
        entryPoints: tests.map((name) => `test/${name}`),
        outdir: "out/test",
        outExtension: { ".js": ".mjs" },
        platform: "node",
        format: "esm",
    });
}

async function buildPage(watch) {
    rmSync("dist", { recursive: true, force: true });
    mkdirSync("dist");
    for (const name of ["index.html", "favicon.svg"]) {
        cpSync(`src/${name}`, `dist/${name}`);
    }
    const options = {
        ...common,
        entryPoints: { app: "src/main.tsx" },
        outdir: "dist",
        format: "iife",
        minify: !watch,
        legalComments: "none",
        // The licences of what is bundled ask for their notice to travel along.
        banner: {
            js: "/*! vedette (MIT); with Preact (MIT, J. Miller) and uPlot (MIT, L. Sorvik) */",
        },
    };
    if (watch) {
        await (await esbuild.context(options)).watch();
    } else {
        await esbuild.build(options);
    }
}

if (process.argv.includes("--test")) {
    await buildTests();
} else {
    await buildPage(process.argv.includes("--watch"));
}
