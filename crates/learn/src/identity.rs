//! Clients and networks, as numbers that the caller makes with a keyed hash: the learner never sees an address.

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The identity with this number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number that it was made of.
            pub const fn get(self) -> u64 {
                self.0
            }
        }
    };
}

identity! {
    /// A client: a keyed hash of its address and user agent, say.
    ClientId
}

identity! {
    /// A client's network (an IPv4 /24 or an IPv6 /56, say): one network has one voice.
    NetworkId
}

identity! {
    /// A connection: any number that no other connection had lately.
    ConnectionId
}
