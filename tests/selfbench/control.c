/* How exactly this machine can wake at all: a plan's intended starts by clock_nanosleep, no more.

   control < OFFSETS > LAGS: int64 nanoseconds after the start in, int64 nanoseconds late out. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const int64_t SECOND = 1000000000;

static int64_t now(void)
{
    struct timespec reading;
    clock_gettime(CLOCK_MONOTONIC, &reading);
    return reading.tv_sec * SECOND + reading.tv_nsec;
}

int main(void)
{
    size_t room = 1 << 16, count = 0;
    int64_t *offsets = malloc(room * sizeof *offsets);
    while (fread(offsets + count, sizeof *offsets, 1, stdin) == 1)
        if (++count == room)
            offsets = realloc(offsets, (room *= 2) * sizeof *offsets);
    int64_t start = now() + SECOND / 10;
    for (size_t i = 0; i < count; i++) {
        int64_t due = start + offsets[i];
        struct timespec until = {.tv_sec = due / SECOND, .tv_nsec = due % SECOND};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        offsets[i] = now() - due;
    }
    return fwrite(offsets, sizeof *offsets, count, stdout) == count ? 0 : 1;
}
