// Carries out calls of @chatbotkit/sdk: one `[name, ...arguments]` a line as JSON, answered by a line `{value}` or `{error: {code, message}}`.
// `list.stream` gathers the stream of `list`.
import { createInterface } from 'node:readline'

import { PartnerUserClient } from '@chatbotkit/sdk/partner/user/index.js'

const [host, secret] = process.argv.slice(2)
const client = new PartnerUserClient({ host, protocol: 'http:', secret, retries: 0 })

async function carryOut(name, args) {
  const streamed = name.endsWith('.stream')
  const path = name.replace(/\.stream$/, '').split('.')
  const method = path.pop()
  const owner = path.reduce((one, member) => one[member], client)
  const answer = owner[method](...args)
  if (!streamed) return await answer
  const items = []
  for await (const item of answer.stream()) items.push(item)
  return items
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line)
  const outcome = await carryOut(name, args).then(
    (value) => ({ value }),
    (error) => ({ error: { code: error.code, message: error.message } }),
  )
  process.stdout.write(JSON.stringify(outcome) + '\n')
}
