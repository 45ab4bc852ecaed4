/** Answers of signature endpoints, as the official samples shape them. */

/**
 * @param {unknown} policy
 * @returns {string}
 */
export function encodePolicy(policy) {
  return Buffer.from(JSON.stringify(policy)).toString('base64');
}

export const TUTORIAL_POLICY = encodePolicy({
  expiration: '2015-11-05T20:52:29Z',
  conditions: [['content-length-range', 0, 1048576000], ['starts-with', '$key', 'user-dir/']],
});

export const ANSWER_V1 = {
  accessid: '6MKOqxGiGU4AUk44',
  host: 'http://post-test.oss-cn-hangzhou.aliyuncs.com',
  policy: TUTORIAL_POLICY,
  signature: 'VsxOcOudxDbtNSvz93CLaXPz+4s=',
  expire: 1446727949,
  callback: Buffer.from('{"callbackUrl":"http://127.0.0.1/callback"}').toString('base64'),
  dir: 'user-dir/',
};

export const ANSWER_V4 = {
  policy: encodePolicy({ expiration: '2015-11-05T20:52:29.000Z', conditions: [['starts-with', '$key', 'u/']] }),
  x_oss_signature_version: 'OSS4-HMAC-SHA256',
  x_oss_credential: 'ak/20231203/cn-hangzhou/oss/aliyun_v4_request',
  x_oss_date: '20231203T121212Z',
  signature: 'e134a6f3a58e89b8e2edc083c6cf8541',
  dir: 'u/',
  host: 'https://examplebucket.oss-cn-hangzhou.aliyuncs.com',
  security_token: 'sts-token',
  callback: 'eyJjYWxsYmFja1VybCI6IiJ9',
};
