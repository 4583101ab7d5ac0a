// The epoch loop: gather a batch, run the program, again; whole epochs without leaving native code.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/program.h"

namespace ranvier {

// The rows of one array, which become a program's input, converted to its dtype on the way.
struct Feed {
  const void* data;
  DType dtype;
  std::int64_t row_elements;
};

// Where a program's output rows are collected (prediction).
struct Sink {
  void* data;
  std::int64_t row_bytes;
};

// One pass over `rows` rows in batches. The last batch may be short: it has a program of its own.
class Epoch {
 public:
  struct Shuffle {
    std::uint64_t key, stream;
  };
  // `full` serves batches of `batch` rows, `tail` the last rows % batch ones (nullptr when there are none). The
  // feeds' data must outlive the object.
  Epoch(std::shared_ptr<Program> full, std::shared_ptr<Program> tail, std::vector<Feed> feeds, std::int64_t rows,
        std::int64_t batch, std::optional<Shuffle> shuffle, std::vector<Sink> sinks = {});

  std::int64_t steps() const { return steps_; }
  std::int64_t done() const { return done_; }

  // Runs until `max_steps` more steps are done (negative: all), `seconds` have passed (<= 0: no limit) or an
  // interrupt came; returns the steps done. Outputs of the last step are readable afterwards.
  std::int64_t advance(std::int64_t max_steps, double seconds);
  // The program that ran last, in its first frame; nullptr before the first step, and where outputs are collected. If another
  // caller has run it since, that frame's outputs are that caller's.
  Program* last() { return last_; }

 private:
  void gather(Frame& frame, std::int64_t begin, std::int64_t count);
  void collect(Frame& frame, std::int64_t begin, std::int64_t count);
  // What they read and write, for profiles.
  double feed_bytes(const Plan& plan, std::int64_t count) const;
  double sink_bytes(std::int64_t count) const;

  std::shared_ptr<Program> full_, tail_;
  std::vector<Feed> feeds_;
  std::int64_t rows_, batch_, steps_, done_ = 0;
  std::vector<std::int64_t> order_;  // empty: as they come
  std::vector<Sink> sinks_;
  Program* last_ = nullptr;
};

}  // namespace ranvier
