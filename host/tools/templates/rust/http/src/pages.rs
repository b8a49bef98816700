//! What is served at which path.

use crate::request::Request;
use crate::response::Response;

const HOME: &str = "<!doctype html>\n<title>{{name}}</title>\n<h1>{{name}}</h1>\n";

/// The response to a request with its whole body.
pub fn answer(request: &Request, body: &[u8]) -> Response {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET" | "HEAD", "/") => Response::html(HOME),
        ("GET" | "HEAD", "/hello") => {
            let name = request.parameter("name").unwrap_or("world".to_owned());
            Response::text(format!("Hello, {name}!\n"))
        }
        ("POST", "/echo") => Response::bytes(body),
        (_, "/" | "/hello" | "/echo") => Response::error("405 Method Not Allowed"),
        _ => Response::error("404 Not Found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(line: &str, body: &str) -> String {
        let request = Request::read(line.as_bytes()).unwrap();
        let response = answer(&request, body.as_bytes()).write(&request);
        String::from_utf8(response).unwrap()
    }

    #[test]
    fn each_path_has_its_page() {
        for (line, status, end) in [
            ("GET / HTTP/1.1", "200", "</h1>\n"),
            ("GET /hello HTTP/1.1", "200", "Hello, world!\n"),
            ("GET /hello?name=Ada HTTP/1.1", "200", "Hello, Ada!\n"),
            ("POST /echo HTTP/1.1", "200", "\r\n\r\nbody"),
            ("DELETE / HTTP/1.1", "405", "405 Method Not Allowed\n"),
            ("GET /nothing HTTP/1.1", "404", "404 Not Found\n"),
        ] {
            let answer = ask(line, "body");
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{answer}"
            );
            assert!(answer.ends_with(end), "{answer}");
        }
    }
}
