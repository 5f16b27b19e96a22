// Builds the dashboard: src/ -> dist/{index.html,app.js,app.css,favicon.svg}, and the page of
// `vedette detect --report`, dist/report.html, which needs no other file. They are embedded in
// the vedette binary. With --test it bundles test/*.test.ts -> out/test/
// instead, because node 18 cannot run TypeScript. With --watch it rebuilds on change.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

// The licences of what is bundled ask that their text travels along.
function licences() {
    const texts = ["preact", "uplot"].map((name) => {
        const text = readFileSync(`node_modules/${name}/LICENSE`, "utf8");
        return `${name}\n\n${text.trim().replaceAll("*/", "* /")}`;
    });
    return `/*!\nvedette (MIT), with these libraries:\n\n${texts.join("\n\n")}\n*/`;
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
        banner: { js: licences() },
    };
    if (watch) {
        await (await esbuild.context(options)).watch();
    } else {
        await esbuild.build(options);
    }
}

function hashOf(text) {
    return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

// One page with script and style in it. Its policy names them by their hashes, so that
// nothing that a name or a text of an analysed file may bring runs, and nothing is fetched.
async function buildReport() {
    const { outputFiles } = await esbuild.build({
        ...common,
        entryPoints: { report: "src/report/main.tsx" },
        outdir: "dist",
        format: "iife",
        minify: true,
        charset: "utf8",
        legalComments: "none",
        write: false,
    });
    const text = (end) => outputFiles.find((file) => file.path.endsWith(end)).text;
    const script = `${licences()}\n${text(".js")}`;
    const style = text(".css");
    const policy = [
        "default-src 'none'",
        `script-src ${hashOf(script)}`,
        `style-src ${hashOf(style)}`,
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
    ].join("; ");
    const parts = { POLICY: policy, STYLE: style, SCRIPT: script };
    const page = readFileSync("src/report/report.html", "utf8");
    writeFileSync(
        "dist/report.html",
        page.replace(/\b(POLICY|STYLE|SCRIPT)\b/g, (name) => parts[name]),
    );
}

if (process.argv.includes("--test")) {
    await buildTests();
} else {
    await buildPage(process.argv.includes("--watch"));
    await buildReport();
}
