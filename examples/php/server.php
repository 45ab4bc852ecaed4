<?php

// An application server for uploads that go straight to the store, on PHP's own functions.
//
//     POST /login         token=…: opens a session
//     GET  /signature     a signed form for uploads into the user's own folder
//     POST /callback      the store's callback: verified, recorded once, answered in this application's words
//     GET  /uploads?key=  what this application said about one upload; null while no callback has come

declare(strict_types=1);

const UPLOAD_BYTES_MAX = 5 << 20, CALLBACK_BYTES_MAX = 64 << 10;
const NO_FACTS = ['object' => '', 'mimeType' => '', 'permit' => ''];
const SESSION = ['cookie_httponly' => true, 'cookie_samesite' => 'Lax', 'use_strict_mode' => true];

// Shows that a callback is for a form of ours: on the real OSS, the callbacks of all customers bear one key.
function permitFor(string $folder): string {
    return hash_hmac('sha256', "permit $folder", getenv('OSS_ACCESS_KEY_SECRET'));
}

// The policy pins, letter by letter, whatever the form carries besides the file; of the key it pins the folder.
function formFor(string $folder): array {
    [$bucket, $secret, $date] = [getenv('OSS_BUCKET'), getenv('OSS_ACCESS_KEY_SECRET'), gmdate('Ymd\THis\Z')];
    $scope = [substr($date, 0, 8), getenv('OSS_REGION'), 'oss', 'aliyun_v4_request'];
    $callbackBody = 'object=${object}&size=${size}&mimeType=${mimeType}&permit=' . permitFor($folder);
    $callback = json_encode(['callbackUrl' => getenv('CALLBACK_URL'), 'callbackBody' => $callbackBody]);
    $pinned = [
        'callback' => base64_encode($callback),
        'x-oss-forbid-overwrite' => 'true', 'x-oss-object-acl' => 'private',
        'x-oss-signature-version' => 'OSS4-HMAC-SHA256', 'x-oss-date' => $date,
        'x-oss-credential' => implode('/', [getenv('OSS_ACCESS_KEY_ID'), ...$scope]),
    ];
    $limits = [['starts-with', '$key', $folder], ['content-length-range', 1, UPLOAD_BYTES_MAX]];
    $conditions = [...$limits, ...array_chunk(['bucket' => $bucket, ...$pinned], 1, preserve_keys: true)];
    $policy = json_encode(['expiration' => gmdate('Y-m-d\TH:i:s\Z', time() + 300), 'conditions' => $conditions]);
    $fields = ['key' => $folder . '${filename}', ...$pinned, 'policy' => base64_encode($policy)];
    $sign = fn (string $key, string $word) => hash_hmac('sha256', $word, $key, binary: true);
    $fields['x-oss-signature'] = bin2hex(array_reduce([...$scope, $fields['policy']], $sign, "aliyun_v4$secret"));
    // On the real OSS: "https://$bucket.oss-cn-hangzhou.aliyuncs.com"
    $host = getenv('OSS_ENDPOINT') . "/$bucket";
    return ['host' => $host, 'dir' => $folder, 'fields' => $fields];
}

// The key's address is compared and never fetched. The path is signed decoded, the query as it came.
function isFromStore(string $body): bool {
    $decoded = preg_replace_callback('/^[^?]*/', fn ($path) => rawurldecode($path[0]), $_SERVER['REQUEST_URI']);
    $signature = base64_decode($_SERVER['HTTP_AUTHORIZATION'] ?? '', strict: true);
    $key = file_get_contents(getenv('COUNTERSIGN_CALLBACK_KEY_FILE'));
    return ($_SERVER['HTTP_X_OSS_PUB_KEY_URL'] ?? '') === base64_encode(getenv('COUNTERSIGN_CALLBACK_KEY_URL'))
        && $signature !== false && openssl_verify("$decoded\n$body", $signature, $key, OPENSSL_ALGO_MD5) === 1;
}

function receive(): array {
    $body = file_get_contents('php://input', length: CALLBACK_BYTES_MAX + 1);
    parse_str($body, $facts);
    ['object' => $key, 'mimeType' => $type, 'permit' => $permit] = $facts + NO_FACTS;
    $isOurs = hash_equals(permitFor(preg_replace('~[^/]*$~', '', $key)), $permit);
    if (strlen($body) > CALLBACK_BYTES_MAX || !$isOurs || !isFromStore($body)) return [400, ['Status' => 'Refused']];
    $isPicture = str_starts_with($type, 'image/');
    $answer = $isPicture ? ['Status' => 'OK'] : ['Status' => 'Declined', 'message' => 'Only pictures are kept here.'];
    // A callback that comes again hears what the first one heard.
    error_log(json_encode($key) . ": {$answer['Status']} (again: " . json_encode(said($key) !== null) . ')');
    return [200, said($key, $answer)];
}

// Your table of uploads, with a unique index on the key; here a file for each key. The first answer stays.
function said(string $key, ?array $answer = null): ?array {
    $record = getenv('APP_UPLOADS') . '/' . hash('sha256', $key);
    if ($answer !== null && !is_file($record)) file_put_contents($record, json_encode($answer), LOCK_EX);
    return is_file($record) ? json_decode(file_get_contents($record), true) : null;
}

// Your login. The session says who the user is, whatever the request says.
function logIn(): array {
    parse_str(getenv('APP_TOKENS'), $users); // token=user&token=user
    session_start(SESSION);
    session_regenerate_id(true);
    $_SESSION['user'] = $users[filter_input(INPUT_POST, 'token') ?: ''] ?? null;
    return isset($_SESSION['user']) ? [200, ['user' => $_SESSION['user']]] : [401, ['message' => 'That is no token.']];
}

// Answers the user with what `$ask` says of his folder, and of the key that he asks for.
function answerUser(callable $ask): array {
    session_start([...SESSION, 'read_and_close' => true]);
    if (!isset($_SESSION['user'])) return [401, ['message' => 'Log in first.']];
    $folder = "user/{$_SESSION['user']}/";
    $wanted = $_GET['path'] ?? $_GET['key'] ?? $folder;
    if (!str_starts_with($wanted, $folder)) return [403, ['message' => 'That folder is not yours.']];
    return [200, $ask($folder, $wanted)];
}

function answer(int $status, ?array $value): void {
    $body = json_encode($value);
    header('Content-Type: application/json', response_code: $status);
    header('Content-Length: ' . strlen($body)); // the store insists on it, and `php -S` sends none by itself
    echo $body;
}

// Something is missing, or not what it should be.
set_exception_handler(fn () => answer(400, ['Status' => 'Refused']));
answer(...match ($_SERVER['REQUEST_METHOD'] . strtok($_SERVER['REQUEST_URI'], '?')) {
    'POST/callback' => receive(),
    'POST/login' => logIn(),
    'GET/signature' => answerUser(formFor(...)),
    'GET/uploads' => answerUser(fn ($folder, $key) => said($key)),
    default => [404, ['message' => 'There is nothing here.']],
});
