// An application server for uploads that go straight to the store, on Go's standard library.
//
//	GET  /signature     a signed form for uploads into the user's own folder
//	POST /callback      the store's callback: verified, recorded once, answered in this application's words
//	GET  /uploads?key=  what this application said about one upload, or that no callback has come
package main

import (
	"crypto"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

const uploadBytesMax, callbackBytesMax = 5 << 20, 64 << 10

// The policy pins, letter by letter, whatever the form carries besides the file; of the key it pins the folder.
const callbackJSON = `{"callbackUrl":"%s",
	"callbackBody":"object=${object}&size=${size}&mimeType=${mimeType}&permit=%s"}`
const policyJSON = `{"expiration":"%s","conditions":[{"bucket":"%s"},["starts-with","$key","%s"],
	["content-length-range",1,%d],{"callback":"%s"},{"x-oss-forbid-overwrite":"true"},{"x-oss-object-acl":"private"},
	{"x-oss-signature-version":"OSS4-HMAC-SHA256"},{"x-oss-credential":"%s"},{"x-oss-date":"%s"}]}`
const formJSON = `{"host":"%s","dir":"%[2]s","fields":{"key":"%[2]s${filename}",
	"callback":"%s","x-oss-forbid-overwrite":"true","x-oss-object-acl":"private",
	"x-oss-signature-version":"OSS4-HMAC-SHA256","x-oss-credential":"%s","x-oss-date":"%s",
	"policy":"%s","x-oss-signature":"%x"}}`

type words map[string]string

// Your login, and your table of uploads with a unique index on the key.
var (
	users, _ = url.ParseQuery(os.Getenv("APP_TOKENS")) // token=user&token=user
	uploads  sync.Map                                  // key → words
	storeKey any
)

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// hmacOf makes of each text the key for the next.
func hmacOf(key []byte, texts ...string) []byte {
	for _, text := range texts {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		key = mac.Sum(nil)
	}
	return key
}

// permitFor shows that a callback is for a form of ours: on the real OSS, the callbacks of all customers bear one key.
func permitFor(folder string) string {
	return fmt.Sprintf("%x", hmacOf([]byte(os.Getenv("OSS_ACCESS_KEY_SECRET")), "permit "+folder))
}

func formFor(folder string) string {
	now, bucket := time.Now().UTC(), os.Getenv("OSS_BUCKET")
	date, expiration := now.Format("20060102T150405Z"), now.Add(5*time.Minute).Format(time.RFC3339)
	scope := []string{date[:8], os.Getenv("OSS_REGION"), "oss", "aliyun_v4_request"}
	credential := os.Getenv("OSS_ACCESS_KEY_ID") + "/" + strings.Join(scope, "/")
	callback := base64Of(fmt.Sprintf(callbackJSON, os.Getenv("CALLBACK_URL"), permitFor(folder)))
	policy := base64Of(fmt.Sprintf(policyJSON, expiration, bucket, folder, uploadBytesMax, callback, credential, date))
	signature := hmacOf([]byte("aliyun_v4"+os.Getenv("OSS_ACCESS_KEY_SECRET")), append(scope, policy)...)
	// On the real OSS: "https://" + bucket + ".oss-cn-hangzhou.aliyuncs.com"
	host := os.Getenv("OSS_ENDPOINT") + "/" + bucket
	return fmt.Sprintf(formJSON, host, folder, callback, credential, date, policy, signature)
}

// isFromStore compares the key's address and never fetches it. The path is signed decoded, the query as it came.
// A header that comes twice is joined to what fits nothing.
func isFromStore(r *http.Request, body []byte) bool {
	address := strings.Join(r.Header["X-Oss-Pub-Key-Url"], ",")
	signature, err := base64.StdEncoding.DecodeString(strings.Join(r.Header["Authorization"], ","))
	digest := md5.Sum([]byte(strings.Replace(r.RequestURI, r.URL.EscapedPath(), r.URL.Path, 1) + "\n" + string(body)))
	return err == nil && address == base64Of(os.Getenv("COUNTERSIGN_CALLBACK_KEY_URL")) &&
		rsa.VerifyPKCS1v15(storeKey.(*rsa.PublicKey), crypto.MD5, digest[:], signature) == nil
}

func receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, callbackBytesMax))
	facts, _ := url.ParseQuery(string(body))
	key := facts.Get("object")
	isOurs := hmac.Equal([]byte(facts.Get("permit")), []byte(permitFor(key[:strings.LastIndex(key, "/")+1])))
	if err != nil || r.Method != http.MethodPost || !isOurs || !isFromStore(r, body) {
		reply(w, http.StatusBadRequest, words{"Status": "Refused"})
		return
	}
	answer := words{"Status": "OK"}
	if !strings.HasPrefix(facts.Get("mimeType"), "image/") {
		answer = words{"Status": "Declined", "message": "Only pictures are kept here."}
	}
	// A callback that comes again hears what the first one heard.
	said, isRepeated := uploads.LoadOrStore(key, answer)
	log.Printf("%q: %s (again: %t)", key, said, isRepeated)
	reply(w, http.StatusOK, said)
}

func answerUser(w http.ResponseWriter, r *http.Request) {
	user := users.Get(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	folder, wanted := "user/"+user+"/", r.FormValue("path")+r.FormValue("key")
	said, _ := uploads.Load(wanted) // nil while no callback has come
	switch {
	case user == "":
		reply(w, http.StatusUnauthorized, words{"message": "Log in first."})
	case wanted != "" && !strings.HasPrefix(wanted, folder):
		reply(w, http.StatusForbidden, words{"message": "That folder is not yours."})
	case r.URL.Path == "/signature":
		reply(w, http.StatusOK, json.RawMessage(formFor(folder)))
	default:
		reply(w, http.StatusOK, said)
	}
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}

func main() {
	text, err := os.ReadFile(os.Getenv("COUNTERSIGN_CALLBACK_KEY_FILE"))
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(text)
	storeKey, err = x509.ParsePKIXPublicKey(block.Bytes)
	http.HandleFunc("/callback", receive)
	http.HandleFunc("/signature", answerUser)
	http.HandleFunc("/uploads", answerUser)
	server := http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
