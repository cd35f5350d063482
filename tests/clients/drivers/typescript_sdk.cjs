// Makes calls with the TypeScript SDK and prints how each ended, one JSON object a line.
//
// Usage: node typescript_sdk.cjs BASE_URL TOKEN (message|stream)...

const { default: Anthropic } = require("@anthropic-ai/sdk");

const QUESTION = {
  model: "claude-sonnet-5-5",
  max_tokens: 64,
  messages: [{ role: "user", content: "Hello" }],
};

async function message(client) {
  const answer = await client.messages.create(QUESTION);
  return { text: answer.content[0].text, message_starts: 1 };
}

async function stream(client) {
  let starts = 0;
  const events = client.messages.stream(QUESTION);
  for await (const event of events) {
    starts += event.type === "message_start" ? 1 : 0;
  }
  const answer = await events.finalMessage();
  return { text: answer.content[0].text, message_starts: starts };
}

async function main() {
  const [baseURL, authToken, ...calls] = process.argv.slice(2);
  const client = new Anthropic({ baseURL, authToken, maxRetries: 0, timeout: 30_000 });
  for (const call of calls) {
    let outcome;
    try {
      outcome = await { message, stream }[call](client);
    } catch (error) {
      // Whatever the caller would have seen counts as the error.
      outcome = { error: `${error.constructor.name}: ${error.message}` };
    }
    console.log(JSON.stringify(outcome));
  }
}

main();
