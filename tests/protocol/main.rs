//! Directed tests of agreement and of what messages are valid, through the public interface: state, call, exactly these
//! outputs. One file for each group of rules; each opens with its scenario and the mistakes of other engines that it
//! keeps out.

mod support;

mod agreed_time;
mod all_lost;
mod catching_up;
mod checkpoints;
mod divergence;
mod golden;
mod hostile;
mod idle;
mod malformed;
mod new_view;
mod normal_case;
mod re_proposals;
mod recovering;
mod request_pool;
mod restart;
mod signatures;
mod slow_member;
mod suspicion;
mod timers;
mod transferring;
mod valid_ordering;
mod valid_view_change;
mod view_change;
