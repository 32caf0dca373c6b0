// renewing.mjs MODULE TOKEN_URL CLIENT SECRET: how the example's tokens come and are renewed.
const [module, tokenUrl, id, secret] = process.argv.slice(2);
const { credentials } = await import(module);
const client = { tokenUrl, id, secret };

const LIFE = 600;
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const refused = (asked) => asked.then(
  () => false,
  (error) => error.message.startsWith("No token"),
);

const token = credentials(client);
const many = await Promise.all(Array.from({ length: 20 }, token));
const soon = (await token()) === many[0];

const hasty = credentials(client, LIFE - 1); // due after a second
const first = await hasty();
await pause(1.5);
const later = (await hasty()) === first;

const stranger = credentials({ ...client, secret: "wrong" });
const twice = [await refused(stranger()), await refused(stranger())];
console.log(JSON.stringify({ together: new Set(many).size, soon, later, refused: twice }));
