// The process's one team of threads, behind parallel_for.
//
// A job's tasks are dealt out in equal ranges, so that a thread meets the same data step after step. Who is done with
// its own range takes tasks from the others': nobody waits for a thread that has not come yet, only for one that is at
// work on a task. So a thread that the system gives no processor costs nothing but its help, and a busy machine slows
// a step down by no more than what it takes away.
//
// The team serves one caller at a time. A second caller, and a task that calls parallel_for itself, are told so at once
// and work alone. Waiting members spin for some microseconds, then sleep. The team is made when it is first wanted, and
// again in a child of fork().
#pragma once

#include <cstdint>

#include "base/threading.h"

namespace ranvier::detail {

// Runs fn for every task in [0, tasks) on up to `threads` threads, the caller among them. False, with nothing done,
// when the team is taken.
bool run_on_team(int threads, std::int64_t tasks, TaskFn fn, void* context);

}  // namespace ranvier::detail
