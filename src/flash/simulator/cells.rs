//! What programming and erasing do to the cells when nothing goes wrong.

use core::ops::Range;

use super::{BLANK, Rule, Simulator, is_blank, units_of};

impl<const WRITE: usize, const ERASE: usize> Simulator<WRITE, ERASE> {
    /// Brings the state of words in line with what was changed through [`Simulator::image_mut`].
    pub(super) fn notice_edit(&mut self) {
        let Some(before) = self.before_edit.take() else {
            return;
        };
        for start in (0..self.memory.len()).step_by(ERASE) {
            if self.memory[start..start + ERASE] == before[start..start + ERASE] {
                continue;
            }
            for start in (start..start + ERASE).step_by(WRITE) {
                let range = start..start + WRITE;
                if self.memory[range.clone()] == before[range.clone()] {
                    continue;
                }
                let blank = is_blank(&self.memory[range.clone()]);
                self.forget_state(range.clone());
                if !blank {
                    self.mark_programmed(&range);
                }
            }
        }
    }

    /// Programs bytes, with everything going well.
    pub(super) fn program(&mut self, start: usize, bytes: &[u8]) {
        let range = start..start + bytes.len();
        if !self.programs(start) {
            return;
        }
        for (byte, requested) in self.memory[range.clone()].iter_mut().zip(bytes) {
            self.counters.lost_ones += u64::from((requested & !*byte).count_ones());
            *byte &= requested;
        }
        self.counters.bytes_programmed += bytes.len() as u64;
        self.settle_zeros(start, bytes);
        self.load_weak(&range);
        self.mark_programmed(&range);
    }

    /// Erases one unit, with everything going well.
    pub(super) fn erase_unit(&mut self, unit: usize) {
        self.blank(unit * ERASE..(unit + 1) * ERASE);
        self.unstable.remove(&unit);
        self.weak.remove(&unit);
        self.wear_erased(unit);
    }

    /// Makes whole words blank, stable and readable.
    pub(super) fn blank(&mut self, range: Range<usize>) {
        self.memory[range.clone()].fill(BLANK);
        self.forget_state(range);
    }

    /// Records that programming of these bytes' words began.
    pub(super) fn mark_programmed(&mut self, range: &Range<usize>) {
        if self.rule == Rule::WriteOnce {
            self.programmed.set(units_of(range, WRITE));
        }
    }

    /// Makes whole words stable, readable and not programmed, whatever they hold.
    pub(super) fn forget_state(&mut self, range: Range<usize>) {
        let words = range.start / WRITE..range.end / WRITE;
        if !self.unreadable.is_empty() {
            self.unreadable.retain(|word| !words.contains(word));
        }
        if self.rule == Rule::WriteOnce {
            self.programmed.clear(words);
        }
        self.stabilise(range);
    }
}
