// The environment, checked as a whole: every problem is listed at once, without its value.

export const LONGER_THAN_PROCESSOR_S = 2;

function integer(environment, name, fallback, least, most, problems) {
  const text = (environment[name] ?? '').trim() || String(fallback);
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    problems.push(`${name} must be a whole number from ${least} to ${most}`);
  }
  return value;
}

function processorOf(text, problems) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url && !url.username && !url.password && !url.search && !url.hash;
  if (url?.protocol !== 'https:' || !plain) {
    problems.push('PROCESSOR_URL must be an https URL without credentials, query or fragment');
    return undefined;
  }
  return { host: url.host, hostname: url.hostname, port: url.port || 443, path: url.pathname.replace(/\/+$/, '') };
}

/** The settings, or an Error whose message has a line for each problem. */
export function loadSettings(environment) {
  const problems = [];
  const processor = processorOf((environment.PROCESSOR_URL ?? '').trim(), problems);
  const secret = (environment.PROXY_SECRET ?? '').trim();
  if (!/^[!-+\--~]{32,}$/.test(secret)) {
    problems.push('PROXY_SECRET must have at least 32 characters, none of them a comma or white space');
  }
  const origins = (environment.ALLOWED_ORIGINS ?? '').split(',').map((each) => each.trim()).filter(Boolean);
  if (origins.length === 0 || origins.some((each) => !/^https?:\/\/[^\s/*]+$/.test(each))) {
    problems.push('ALLOWED_ORIGINS must list origins such as https://shop.example, as the processor does');
  }
  if (environment.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    problems.push('NODE_TLS_REJECT_UNAUTHORIZED must not be 0: anyone could pretend to be the processor');
  }
  const number = (name, fallback, least, most) => integer(environment, name, fallback, least, most, problems);
  const settings = {
    processor,
    secret,
    origins,
    deadlineS: number('REQUEST_DEADLINE_S', 25, 1, 300),
    trustedProxies: number('TRUSTED_PROXIES', 1, 0, 10),
    maxBodyBytes: number('MAX_BODY_BYTES', 1_048_576, 1_024, 10_485_760),
    port: number('PORT', 8080, 1, 65_535),
    serviceUrl: environment.CONNECT_SERVICE_URL,
  };
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return settings;
}
