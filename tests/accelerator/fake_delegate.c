/* Stands in for libedgetpu: a delegate that takes no operator, so that the processor's kernels compute. What it does
   at load comes from FAKE_DELEGATE; what it does later from a file whose name is in FAKE_DELEGATE_FILE. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The C interface of a TensorFlow Lite delegate, as far as it is read. */
typedef struct Delegate {
  void *data;
  int (*prepare)(void *context, struct Delegate *delegate);
  int (*copy_from)(void);
  int (*copy_to)(void);
  void (*free_buffer)(void);
  int64_t flags;
  void *builder;
} Delegate;

static int take_nothing(void *context, Delegate *delegate) { return 0; }
static int fail(void *context, Delegate *delegate) { return 1; }

static void do_it(const char *what) {
  if (strcmp(what, "abort") == 0) abort();
  if (strcmp(what, "exit") == 0) _exit(3);
  if (strcmp(what, "hang") == 0) raise(SIGSTOP);
}

static void *watch(void *name) {
  const struct timespec pause = {0, 1000000};
  char what[16] = "";
  for (;; nanosleep(&pause, NULL)) {
    FILE *file = fopen(name, "r");
    if (file == NULL) continue;
    if (fgets(what, sizeof what, file) != NULL) do_it(what);
    fclose(file);
  }
  return NULL;
}

Delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count, void (*report)(const char *)) {
  static int watched = 0;
  const char *mode = getenv("FAKE_DELEGATE"), *file = getenv("FAKE_DELEGATE_FILE"), *wanted = getenv("FAKE_DELEGATE_WANTS");
  pthread_t thread;
  if (mode == NULL) mode = "works";
  do_it(mode);
  if (strcmp(mode, "no-device") == 0) {
    if (report != NULL) report("no Edge TPU is plugged in");
    return NULL;
  }
  if (wanted != NULL && (count != 1 || strcmp(keys[0], "device") != 0 || strcmp(values[0], wanted) != 0)) {
    report("another device was asked for");
    return NULL;
  }
  if (file != NULL && !watched) {
    watched = 1;
    pthread_create(&thread, NULL, watch, (void *)file);
  }
  Delegate *delegate = calloc(1, sizeof(Delegate));
  delegate->prepare = strcmp(mode, "refuses") == 0 ? fail : take_nothing;
  return delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) { free(delegate); }
