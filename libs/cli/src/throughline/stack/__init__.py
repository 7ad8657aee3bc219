"""The local suite: real servers, the five services and the gateway, composed in one state folder."""
