#include "cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error/error.h"

static void write_key(const char *path, EVP_PKEY *key)
{
    FILE *file = fopen(path, "wbe");
    TL_ASSERT(file != NULL);
    TL_ASSERT(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    TL_ASSERT(fclose(file) == 0);
}

static void add_names(X509 *x, const char *dns_name, const char *ip)
{
    char names[256];
    (void)snprintf(names, sizeof names, "DNS:%s,IP:%s", dns_name, ip);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    TL_ASSERT(ext != NULL && X509_add_ext(x, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

void test_cert_make(test_cert *out, const char *dns_name, const char *ip)
{
    (void)snprintf(out->dir, sizeof out->dir, "/tmp/tally-cert-XXXXXX");
    TL_ASSERT(mkdtemp(out->dir) != NULL);
    (void)snprintf(out->cert_file, sizeof out->cert_file, "%s/cert.pem", out->dir);
    (void)snprintf(out->key_file, sizeof out->key_file, "%s/key.pem", out->dir);
    (void)snprintf(out->other_key_file, sizeof out->other_key_file, "%s/other.pem", out->dir);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *other = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    TL_ASSERT(key != NULL && other != NULL && x != NULL);
    TL_ASSERT(X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
    TL_ASSERT(X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL);
    TL_ASSERT(X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL);
    TL_ASSERT(X509_set_pubkey(x, key) == 1);
    X509_NAME *name = X509_get_subject_name(x);
    TL_ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)dns_name,
                                         -1, -1, 0) == 1);
    TL_ASSERT(X509_set_issuer_name(x, name) == 1);
    add_names(x, dns_name, ip);
    TL_ASSERT(X509_sign(x, key, EVP_sha256()) > 0);
    FILE *file = fopen(out->cert_file, "wbe");
    TL_ASSERT(file != NULL && PEM_write_X509(file, x) == 1 && fclose(file) == 0);
    write_key(out->key_file, key);
    write_key(out->other_key_file, other);
    X509_free(x);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

void test_cert_remove(const test_cert *cert)
{
    (void)unlink(cert->cert_file);
    (void)unlink(cert->key_file);
    (void)unlink(cert->other_key_file);
    (void)rmdir(cert->dir);
}
