import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.*;
import java.io.IOException;
import java.net.*;
import java.nio.file.*;
import java.security.*;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * An application server for uploads that go straight to the store, on the JDK's own classes.
 *
 * <pre>
 * GET  /signature     a signed form for uploads into the user's own folder
 * POST /callback      the store's callback: verified, recorded once, answered in this application's words
 * GET  /uploads?key=  what this application said about one upload; null while no callback has come
 * </pre>
 */
public class Main {
    static final int UPLOAD_BYTES_MAX = 5 << 20, CALLBACK_BYTES_MAX = 64 << 10;
    static final Map<String, String> ENV = System.getenv();
    static final String SECRET = ENV.get("OSS_ACCESS_KEY_SECRET");

    // The policy pins, letter by letter, whatever the form carries besides the file; of the key it pins the folder. The
    // permit shows that a callback is for a form of ours: on the real OSS, the callbacks of all customers bear one key.
    static final String CALLBACK = """
        {"callbackUrl":"%s","callbackBody":"object=${object}&size=${size}&mimeType=${mimeType}&permit=%s"}""";
    static final String POLICY = """
        {"expiration":"%s","conditions":[{"bucket":"%s"},["starts-with","$key","%s"],["content-length-range",1,%d],
        {"callback":"%s"},{"x-oss-forbid-overwrite":"true"},{"x-oss-object-acl":"private"},
        {"x-oss-signature-version":"OSS4-HMAC-SHA256"},{"x-oss-credential":"%s"},{"x-oss-date":"%s"}]}""";
    static final String FORM = """
        {"host":"%1$s","dir":"%2$s","fields":{"key":"%2$s${filename}","callback":"%3$s","x-oss-forbid-overwrite":"true",
        "x-oss-object-acl":"private","x-oss-signature-version":"OSS4-HMAC-SHA256","x-oss-credential":"%4$s",
        "x-oss-date":"%5$s","policy":"%6$s","x-oss-signature":"%7$s"}}""";

    record Answer(int status, String json) {}

    static final Answer ACCEPTED = new Answer(200, "{\"Status\":\"OK\"}");
    static final Answer REFUSED = new Answer(400, "{\"Status\":\"Refused\"}");
    static final Answer DECLINED = new Answer(200, """
        {"Status":"Declined","message":"Only pictures are kept here."}""");

    // Your login, and your table of uploads with a unique index on the key.
    static final Map<String, String> USERS = parameters(ENV.get("APP_TOKENS")); // token=user&token=user
    static final Map<String, Answer> UPLOADS = new ConcurrentHashMap<>();

    static Map<String, String> parameters(String text) {
        return Stream.of(text.split("&")).map(pair -> pair.split("=", 2)).filter(pair -> pair.length == 2)
            .collect(Collectors.toMap(pair -> pair[0], pair -> URLDecoder.decode(pair[1], UTF_8)));
    }

    static String base64(String text) { return Base64.getEncoder().encodeToString(text.getBytes(UTF_8)); }

    /** Makes of each text the key for the next. */
    static String hmac(String secret, String... texts) throws GeneralSecurityException {
        byte[] key = secret.getBytes(UTF_8);
        for (String text : texts) {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            key = mac.doFinal(text.getBytes(UTF_8));
        }
        return HexFormat.of().formatHex(key);
    }

    static String formFor(String folder) throws GeneralSecurityException {
        String region = ENV.get("OSS_REGION"), bucket = ENV.get("OSS_BUCKET");
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS), expires = now.plusSeconds(300);
        String date = now.toString().replaceAll("[-:]", ""), day = date.substring(0, 8);
        String credential = String.join("/", ENV.get("OSS_ACCESS_KEY_ID"), day, region, "oss", "aliyun_v4_request");
        String callback = base64(CALLBACK.formatted(ENV.get("CALLBACK_URL"), hmac(SECRET, "permit " + folder)));
        String policy = base64(POLICY.formatted(expires, bucket, folder, UPLOAD_BYTES_MAX, callback, credential, date));
        String mac = hmac("aliyun_v4" + SECRET, day, region, "oss", "aliyun_v4_request", policy);
        // On the real OSS: "https://" + bucket + ".oss-cn-hangzhou.aliyuncs.com"
        return FORM.formatted(ENV.get("OSS_ENDPOINT") + "/" + bucket, folder, callback, credential, date, policy, mac);
    }

    /** The key's address is compared and never fetched. The path is signed decoded, the query as it came. */
    static boolean isFromStore(HttpExchange exchange, byte[] body) throws GeneralSecurityException, IOException {
        String pem = Files.readString(Path.of(ENV.get("COUNTERSIGN_CALLBACK_KEY_FILE")));
        byte[] key = Base64.getDecoder().decode(pem.replaceAll("-----.*-----|\\s", ""));
        Signature rsa = Signature.getInstance("MD5withRSA");
        rsa.initVerify(KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(key)));
        URI uri = exchange.getRequestURI();
        rsa.update((uri.getPath() + uri.toString().substring(uri.getRawPath().length()) + "\n").getBytes(UTF_8));
        rsa.update(body);
        Headers headers = exchange.getRequestHeaders();
        return headers.get("x-oss-pub-key-url").equals(List.of(base64(ENV.get("COUNTERSIGN_CALLBACK_KEY_URL"))))
            && headers.get("Authorization").size() == 1
            && rsa.verify(Base64.getDecoder().decode(headers.getFirst("Authorization")));
    }

    static Answer receive(HttpExchange exchange) throws GeneralSecurityException, IOException {
        byte[] body = exchange.getRequestBody().readNBytes(CALLBACK_BYTES_MAX + 1);
        Map<String, String> facts = parameters(new String(body, UTF_8));
        String key = facts.get("object"), folder = key.substring(0, key.lastIndexOf('/') + 1);
        String permit = hmac(SECRET, "permit " + folder);
        boolean isOurs = MessageDigest.isEqual(permit.getBytes(UTF_8), facts.get("permit").getBytes(UTF_8));
        if (body.length > CALLBACK_BYTES_MAX || !isOurs || !isFromStore(exchange, body)) return REFUSED;
        Answer answer = facts.get("mimeType").startsWith("image/") ? ACCEPTED : DECLINED;
        // A callback that comes again hears what the first one heard.
        Answer said = UPLOADS.putIfAbsent(key, answer);
        System.out.printf("%s: %s (again: %b)%n", key.replaceAll("\\p{Cntrl}", "?"), answer.json(), said != null);
        return said == null ? answer : said;
    }

    static Answer answerUser(HttpExchange exchange) throws GeneralSecurityException {
        String authorization = exchange.getRequestHeaders().getOrDefault("Authorization", List.of("")).get(0);
        String user = USERS.get(authorization.replaceFirst("^Bearer ", "")), folder = "user/" + user + "/";
        URI uri = exchange.getRequestURI();
        Map<String, String> asked = parameters(uri.getRawQuery() == null ? "" : uri.getRawQuery());
        String wanted = asked.getOrDefault("path", asked.getOrDefault("key", folder));
        return user == null ? new Answer(401, "{\"message\":\"Log in first.\"}")
            : !wanted.startsWith(folder) ? new Answer(403, "{\"message\":\"That folder is not yours.\"}")
            : uri.getPath().equals("/signature") ? new Answer(200, formFor(folder))
            : uri.getPath().equals("/uploads") ? UPLOADS.getOrDefault(wanted, new Answer(200, "null"))
            : new Answer(404, "{\"message\":\"There is nothing here.\"}");
    }

    static void respond(HttpExchange exchange) throws IOException {
        Answer answer;
        try {
            String asked = exchange.getRequestMethod() + exchange.getRequestURI().getRawPath();
            answer = asked.equals("POST/callback") ? receive(exchange) : answerUser(exchange);
        } catch (GeneralSecurityException | RuntimeException exception) {
            answer = REFUSED; // something is missing, comes twice, or is not what it should be
        }
        byte[] body = answer.json().getBytes(UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(answer.status(), body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    public static void main(String[] arguments) throws IOException {
        System.setProperty("sun.net.httpserver.maxReqTime", "10"); // seconds for a request to arrive
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(ENV.get("PORT"))), 0);
        server.createContext("/", Main::respond);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
    }
}
