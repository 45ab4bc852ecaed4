//! The key pair that signs callbacks: RSASSA-PKCS1-v1_5 over MD5, as the protocol demands of the store.
//!
//! No maintained crate offers this signature with an implementation in constant time, so it is aws-lc's.
//! Verification needs no secret and lives elsewhere.
#![allow(unsafe_code, reason = "calls into aws-lc, each argued below")]

use crate::Md5;
use aws_lc_sys as lc;
use std::ptr::{self, NonNull};
use zeroize::Zeroizing;

/// An RSA private key that signs MD5 digests. Share it behind an `Arc`: signing takes `&self`.
pub struct RsaMd5Key(NonNull<lc::EVP_PKEY>);

/// What can go wrong with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RsaKeyError {
    /// No key could be made.
    #[error("no RSA key could be generated")]
    NotGenerated,
    /// The text is no unencrypted private key in PEM.
    #[error("the text holds no unencrypted PEM private key")]
    NotAPrivateKey,
    /// The private key is of another kind, or shorter than 1024 bits.
    #[error("the private key is no RSA key of at least 1024 bits")]
    NotRsa,
    /// The key could not be written as PEM.
    #[error("the key could not be written as PEM")]
    NotWritten,
    /// The digest could not be signed.
    #[error("the digest could not be signed")]
    NotSigned,
}

// SAFETY: an EVP_PKEY is reference counted with atomics and nothing in it is bound to a thread; this type owns
// one reference and never changes the key after it is made.
unsafe impl Send for RsaMd5Key {}
// SAFETY: the calls made through `&self` (signing, writing PEM, asking sizes) are documented by aws-lc as safe to
// run at once on one key: its lazily made Montgomery and blinding values are behind the key's own lock.
unsafe impl Sync for RsaMd5Key {}

impl RsaMd5Key {
    /// Makes a fresh key of 2048 bits. Takes a fraction of a second.
    ///
    /// # Errors
    /// [`RsaKeyError::NotGenerated`] when the system has no memory or randomness for it.
    pub fn generate_2048() -> Result<RsaMd5Key, RsaKeyError> {
        // SAFETY: RSA_new and EVP_PKEY_new answer an owned object or null. RSA_generate_key_fips fills the fresh
        // RSA. EVP_PKEY_assign_RSA takes the RSA over only when it answers 1; otherwise it is freed here, once.
        // The EVP_PKEY is owned by `key` from the line that makes it.
        unsafe {
            let key = RsaMd5Key(NonNull::new(lc::EVP_PKEY_new()).ok_or(RsaKeyError::NotGenerated)?);
            let rsa = NonNull::new(lc::RSA_new()).ok_or(RsaKeyError::NotGenerated)?;
            let made = lc::RSA_generate_key_fips(rsa.as_ptr(), 2048, ptr::null_mut()) == 1
                && lc::EVP_PKEY_assign_RSA(key.0.as_ptr(), rsa.as_ptr()) == 1;
            if !made {
                lc::RSA_free(rsa.as_ptr());
                return Err(RsaKeyError::NotGenerated);
            }
            Ok(key)
        }
    }

    /// Makes a fresh key of 1024 bits, in a tenth of the time: for keys that live as long as one test. It is twice as long
    /// as the one of OSS, and as short as receivers take (Go and newer OpenSSL refuse shorter ones).
    ///
    /// # Errors
    /// [`RsaKeyError::NotGenerated`] when the system has no memory or randomness for it.
    pub fn generate_1024_for_tests() -> Result<RsaMd5Key, RsaKeyError> {
        // SAFETY: as above. BN_new answers an owned number or null; RSA_generate_key_ex only reads it, and it is freed
        // here, once, on every way.
        unsafe {
            let key = RsaMd5Key(NonNull::new(lc::EVP_PKEY_new()).ok_or(RsaKeyError::NotGenerated)?);
            let exponent = NonNull::new(lc::BN_new()).ok_or(RsaKeyError::NotGenerated)?;
            let rsa = lc::RSA_new();
            let made = !rsa.is_null()
                && lc::BN_set_word(exponent.as_ptr(), 65_537) == 1
                && lc::RSA_generate_key_ex(rsa, 1024, exponent.as_ptr(), ptr::null_mut()) == 1
                && lc::EVP_PKEY_assign_RSA(key.0.as_ptr(), rsa) == 1;
            lc::BN_free(exponent.as_ptr());
            if !made {
                lc::RSA_free(rsa);
                return Err(RsaKeyError::NotGenerated);
            }
            Ok(key)
        }
    }

    /// Reads an unencrypted private key: PKCS#8 (`BEGIN PRIVATE KEY`), or PKCS#1 as older tools write it.
    ///
    /// # Errors
    /// [`RsaKeyError::NotAPrivateKey`] and [`RsaKeyError::NotRsa`].
    pub fn from_pem(pem: &[u8]) -> Result<RsaMd5Key, RsaKeyError> {
        let len = isize::try_from(pem.len()).map_err(|_| RsaKeyError::NotAPrivateKey)?;
        // SAFETY: the BIO reads `len` bytes of `pem`, which outlives it: it is freed in this block. The password
        // callback is one that refuses, so that an encrypted key is an error and no terminal is asked. A key that
        // is answered is ours.
        let key = unsafe {
            let bio = NonNull::new(lc::BIO_new_mem_buf(pem.as_ptr().cast(), len as lc::ossl_ssize_t))
                .ok_or(RsaKeyError::NotAPrivateKey)?;
            let key = lc::PEM_read_bio_PrivateKey(
                bio.as_ptr(),
                ptr::null_mut(),
                Some(no_password),
                ptr::null_mut(),
            );
            lc::BIO_free(bio.as_ptr());
            lc::ERR_clear_error();
            RsaMd5Key(NonNull::new(key).ok_or(RsaKeyError::NotAPrivateKey)?)
        };
        // SAFETY: the key is alive; both calls only read it, and RSA_size is asked of a key that is there.
        let bytes = unsafe { NonNull::new(key.rsa()).map_or(0, |rsa| lc::RSA_size(rsa.as_ptr())) };
        if bytes < 128 { Err(RsaKeyError::NotRsa) } else { Ok(key) }
    }

    /// The private key as unencrypted PKCS#8 PEM; wiped when dropped.
    ///
    /// # Errors
    /// [`RsaKeyError::NotWritten`] when memory runs out.
    pub fn to_pem(&self) -> Result<Zeroizing<Vec<u8>>, RsaKeyError> {
        // SAFETY: the BIO is alive during the call, the key too; a null cipher means unencrypted, and then neither
        // password nor callback is looked at.
        self.written(|bio| unsafe {
            lc::PEM_write_bio_PKCS8PrivateKey(
                bio,
                self.0.as_ptr(),
                ptr::null(),
                ptr::null(),
                0,
                None,
                ptr::null_mut(),
            )
        })
    }

    /// The public key as SubjectPublicKeyInfo PEM, lines ended by LF: what the key URL serves.
    ///
    /// # Errors
    /// [`RsaKeyError::NotWritten`] when memory runs out.
    pub fn public_key_pem(&self) -> Result<String, RsaKeyError> {
        // SAFETY: the BIO and the key are alive during the call, which only reads the key.
        let pem = self.written(|bio| unsafe { lc::PEM_write_bio_PUBKEY(bio, self.0.as_ptr()) })?;
        String::from_utf8(pem.to_vec()).map_err(|_| RsaKeyError::NotWritten)
    }

    /// Signs the MD5 of the message. The signature is as long as the key.
    ///
    /// # Errors
    /// [`RsaKeyError::NotSigned`] when memory or randomness runs out.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, RsaKeyError> {
        let mut md5 = Md5::new();
        md5.update(message);
        let digest = md5.finish();
        // SAFETY: the key holds an RSA key (checked when it was made). RSA_sign reads the 16 bytes of the digest
        // and writes at most RSA_size bytes, which is what `signature` has; it puts the true length in `len`.
        unsafe {
            let rsa = self.rsa();
            let mut signature = vec![0; lc::RSA_size(rsa) as usize];
            let mut len = 0;
            let signed = lc::RSA_sign(
                lc::NID_md5,
                digest.as_ptr(),
                digest.len(),
                signature.as_mut_ptr(),
                &mut len,
                rsa,
            );
            signature.truncate(len as usize);
            if signed == 1 { Ok(signature) } else { Err(RsaKeyError::NotSigned) }
        }
    }

    /// The RSA key inside, borrowed; null when the key is of another kind.
    fn rsa(&self) -> *mut lc::RSA {
        // SAFETY: the key is alive, and the call takes no reference.
        unsafe { lc::EVP_PKEY_get0_RSA(self.0.as_ptr()) }
    }

    /// What `write` writes into a memory BIO (1 means written).
    fn written(&self, write: impl FnOnce(*mut lc::BIO) -> i32) -> Result<Zeroizing<Vec<u8>>, RsaKeyError> {
        // SAFETY: the BIO is owned here and freed once. BIO_mem_contents answers a pointer into it with its length,
        // copied before the BIO is freed; the BIO wipes its memory when freed.
        unsafe {
            let bio = NonNull::new(lc::BIO_new(lc::BIO_s_mem())).ok_or(RsaKeyError::NotWritten)?;
            let (mut contents, mut len) = (ptr::null(), 0);
            let written = write(bio.as_ptr()) == 1
                && lc::BIO_mem_contents(bio.as_ptr(), &mut contents, &mut len) == 1
                && !contents.is_null();
            let pem = written.then(|| Zeroizing::new(std::slice::from_raw_parts(contents, len).to_vec()));
            lc::BIO_free(bio.as_ptr());
            pem.ok_or(RsaKeyError::NotWritten)
        }
    }
}

/// Refuses to give a password.
unsafe extern "C" fn no_password(
    _buffer: *mut std::ffi::c_char,
    _size: std::ffi::c_int,
    _writing: std::ffi::c_int,
    _context: *mut std::ffi::c_void,
) -> std::ffi::c_int {
    -1
}

impl Drop for RsaMd5Key {
    fn drop(&mut self) {
        // SAFETY: this type owns one reference and gives it back once.
        unsafe { lc::EVP_PKEY_free(self.0.as_ptr()) }
    }
}

impl std::fmt::Debug for RsaMd5Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RsaMd5Key(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::pkcs8::DecodePublicKey;
    use rsa::{Pkcs1v15Sign, RsaPublicKey};

    fn verifies(public_pem: &str, message: &[u8], signature: &[u8]) -> bool {
        use md_5_oid::Digest;
        let key = RsaPublicKey::from_public_key_pem(public_pem).unwrap();
        let digest = md_5_oid::Md5::digest(message);
        key.verify(Pkcs1v15Sign::new::<md_5_oid::Md5>(), &digest, signature).is_ok()
    }

    #[test]
    fn another_implementation_verifies_the_signature_and_nothing_else() {
        let key = RsaMd5Key::generate_2048().unwrap();
        let public = key.public_key_pem().unwrap();
        let signature = key.sign(b"/callback\nfilename=a").unwrap();
        assert_eq!(signature.len(), 256);
        assert!(verifies(&public, b"/callback\nfilename=a", &signature));
        assert!(!verifies(&public, b"/callback\nfilename=b", &signature));
    }

    #[test]
    fn a_key_written_and_read_again_signs_the_same() {
        let key = RsaMd5Key::generate_2048().unwrap();
        let pem = key.to_pem().unwrap();
        assert!(pem.starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
        let again = RsaMd5Key::from_pem(&pem).unwrap();
        assert_eq!(again.sign(b"message").unwrap(), key.sign(b"message").unwrap());
    }

    #[test]
    fn the_public_key_is_pem_with_bare_line_feeds() {
        let public = RsaMd5Key::generate_2048().unwrap().public_key_pem().unwrap();
        assert!(public.starts_with("-----BEGIN PUBLIC KEY-----\n"));
        assert!(public.ends_with("-----END PUBLIC KEY-----\n"));
        assert!(!public.contains('\r'));
    }

    #[test]
    fn refuses_what_is_no_private_key() {
        let public = RsaMd5Key::generate_2048().unwrap().public_key_pem().unwrap();
        for text in ["", "nonsense", &public] {
            assert_eq!(RsaMd5Key::from_pem(text.as_bytes()).err(), Some(RsaKeyError::NotAPrivateKey));
        }
    }

    #[test]
    fn refuses_a_private_key_of_another_kind() {
        const ED25519: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n";
        assert_eq!(RsaMd5Key::from_pem(ED25519.as_bytes()).err(), Some(RsaKeyError::NotRsa));
    }

    #[test]
    fn many_threads_sign_with_one_key() {
        let key = RsaMd5Key::generate_2048().unwrap();
        let expected = key.sign(b"m").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..20).for_each(|_| assert_eq!(key.sign(b"m").unwrap(), expected)));
            }
        });
    }
}
