<?php

// The page and the uploader's modules are files of the folder that `php -S -t` names; all else is the application's.

declare(strict_types=1);

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/' || is_string($path) && str_starts_with($path, '/uploader/')) {
    return false;
}
require __DIR__ . '/server.php';
