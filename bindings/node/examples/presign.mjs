// Prints the token for a given time: the same bytes from every language.
//
//   node presign.mjs HOSTNAME PORT USERNAME UNIX_SECONDS
//
// The credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
import { presign } from 'rdstoken';

const [hostname, port, username, seconds] = process.argv.slice(2);
const credentials = {
  accessKeyId: process.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  sessionToken: process.env.AWS_SESSION_TOKEN,
};
const signingTime = new Date(Number(seconds) * 1000);
console.log(presign({ hostname, port: Number(port), username, credentials, signingTime }));
