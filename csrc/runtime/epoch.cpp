#include "runtime/epoch.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "backends/backend.h"
#include "base/float_mode.h"
#include "base/rng.h"
#include "base/threading.h"

namespace ranvier {

Epoch::Epoch(std::shared_ptr<Program> full, std::shared_ptr<Program> tail, std::vector<Feed> feeds, std::int64_t rows,
             std::int64_t batch, std::optional<Shuffle> shuffle, std::vector<Sink> sinks)
    : full_(std::move(full)), tail_(std::move(tail)), feeds_(std::move(feeds)), rows_(rows), batch_(batch),
      steps_(batch > 0 ? rows / batch + (rows % batch != 0) : 0), sinks_(std::move(sinks)) {
  require(rows > 0 && batch > 0, "An epoch needs at least one row and a positive batch size.");
  for (Program* program : {full_.get(), tail_.get()})
    if (program && program->input_count() != feeds_.size())
      fail(ErrorKind::kRuntime, "The program takes ", program->input_count(), " inputs, got ", feeds_.size(), " arrays.");
  if (!shuffle) return;
  order_.resize(static_cast<std::size_t>(rows));
  measure_around(active_profiles(), *full_, Around::kShuffle, 8.0 * static_cast<double>(rows),
                 [&] { shuffle_permutation(shuffle->key, shuffle->stream, rows, order_.data()); });
}

void Epoch::gather(Program& program, std::int64_t begin, std::int64_t count) {
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    const Feed& feed = feeds_[i];
    const DType to = program.input_type(i).dtype;
    cpu::gather_batch(feed.data, feed.dtype, program.input(i), to, feed.row_elements,
                      order_.empty() ? nullptr : order_.data() + begin, begin, count);
  }
}

void Epoch::collect(Program& program, std::int64_t begin, std::int64_t count) {
  for (std::size_t i = 0; i < sinks_.size(); ++i)
    std::memcpy(static_cast<std::byte*>(sinks_[i].data) + begin * sinks_[i].row_bytes, program.output(i),
                static_cast<std::size_t>(count * sinks_[i].row_bytes));
}

double Epoch::feed_bytes(const Program& program, std::int64_t count) const {
  double bytes = 0;
  for (std::size_t i = 0; i < feeds_.size(); ++i)
    bytes += static_cast<double>(count * feeds_[i].row_elements) *
             static_cast<double>(size_of(feeds_[i].dtype) + size_of(program.input_type(i).dtype));
  return bytes;
}

double Epoch::sink_bytes(std::int64_t count) const {
  double bytes = 0;
  for (const Sink& sink : sinks_) bytes += 2.0 * static_cast<double>(count * sink.row_bytes);
  return bytes;
}

std::int64_t Epoch::advance(std::int64_t max_steps, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const std::int64_t until = max_steps < 0 ? steps_ : done_ + std::min(steps_ - done_, max_steps);
  const std::int64_t before = done_;
  // Without sinks the outputs are read later. The larger batch is taken first, so no two callers wait for each other.
  const Program::Use use = sinks_.empty() ? Program::Use::kAlone : Program::Use::kCopies;
  const Program::Lease full = full_->lease(use);
  const Program::Lease tail = tail_ ? tail_->lease(use) : Program::Lease();
  const Profiles profiles = active_profiles();
  const FlushTiny flush_tiny;
  while (done_ < until) {
    const std::int64_t begin = done_ * batch_, count = std::min(batch_, rows_ - begin);
    Program& program = count == batch_ ? *full : *tail;
    if (profiles.empty()) [[likely]] gather(program, begin, count);
    else measure_around(profiles, program, Around::kGather, feed_bytes(program, count), [&] { gather(program, begin, count); });
    if (!program.run(profiles)) break;
    if (!sinks_.empty()) {
      program.readout(profiles);
      measure_around(profiles, program, Around::kCollect, sink_bytes(count), [&] { collect(program, begin, count); });
    }
    if (sinks_.empty()) last_ = &program;
    ++done_;
    if (interrupted()) break;
    if (seconds > 0 && std::chrono::duration<double>(Clock::now() - start).count() >= seconds) break;
  }
  return done_ - before;
}

}  // namespace ranvier
