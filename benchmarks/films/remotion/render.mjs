// Remotion 4 with its own encoder: node render.mjs SCENES OUT CHROMIUM
// The bundle is made and the browser is open before the time begins, as in a service that is up.
import {bundle} from '@remotion/bundler';
import {openBrowser, renderMedia, selectComposition} from '@remotion/renderer';
import {copyFileSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {extname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const [scenes, outputLocation, browserExecutable] = process.argv.slice(2);
const inputProps = JSON.parse(readFileSync(scenes, 'utf8'));
const publicDir = mkdtempSync(join(tmpdir(), 'film-'));
let number = 0;
for (const scene of inputProps.scenes) {
  for (const picture of scene.pictures) {
    picture.file = `${number++}${extname(picture.path)}`;
    copyFileSync(picture.path, join(publicDir, picture.file));
  }
  for (const line of scene.texts) {
    copyFileSync(line.font, join(publicDir, line.bold ? 'bold.ttf' : 'regular.ttf'));
  }
}
const entryPoint = fileURLToPath(new URL('film.jsx', import.meta.url));
const serveUrl = await bundle({entryPoint, publicDir});
const browser = {browserExecutable, chromeMode: 'chrome-for-testing'};
const puppeteerInstance = await openBrowser('chrome', browser);
const shared = {serveUrl, inputProps, puppeteerInstance, ...browser, logLevel: 'error'};
const composition = await selectComposition({...shared, id: 'film'});
const began = performance.now();
await renderMedia({
  ...shared, composition, outputLocation, codec: 'h264', concurrency: 2, muted: true,
  licenseKey: null,
});
const seconds = (performance.now() - began) / 1000;
await puppeteerInstance.close({silent: true});
rmSync(publicDir, {recursive: true});
rmSync(serveUrl, {recursive: true});
console.log(JSON.stringify({seconds}));
process.exit(0);
