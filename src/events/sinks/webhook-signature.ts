/**
 * Standard Webhooks signatures.
 *
 * E12 The signature covers id, time and body, once for each secret, so that secrets can be rotated. No message,
 *     list or event ever holds a secret.
 */
import { UttrError } from '../../base/errors.ts';

const PREFIX = 'whsec_';

/**
 * Signs a body with each secret.
 *
 * A secret is read as Standard Webhooks does: base64, with or without "whsec_" before it. What is not base64 (and
 * has no prefix) is taken as the key's own bytes in UTF-8.
 *
 * @returns the value of the `webhook-signature` header: signatures with a blank between them.
 * @throws bad-config when a secret with prefix is not base64, or is empty.
 */
export async function signWebhook(secrets: readonly string[], id: string, time: Date, body: string): Promise<string> {
  const { Webhook } = await import('standardwebhooks');
  return secrets
    .map((secret) => {
      const key = decodeSecret(secret);
      return new Webhook(key, { format: 'raw' }).sign(id, time, body);
    })
    .join(' ');
}

function decodeSecret(secret: string): Uint8Array {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  const key = Buffer.from(text, 'base64');
  // Buffer skips what is not base64, so only what encodes back to the same text was base64.
  if (key.length > 0 && key.toString('base64') === text) return key;
  if (secret.startsWith(PREFIX) || secret === '') {
    throw new UttrError('bad-config', 'a webhook secret is not base64 after "whsec_"', {
      hint: 'make one with: echo "whsec_$(openssl rand -base64 32)"',
    });
  }
  return Buffer.from(secret);
}
