//! JupyterLab: a large page of scripts, a WebSocket to a kernel that answers, an upload.

use std::path::Path;
use std::process::Command;

use testkit::Program;

use super::application::{Application, Step, tool};

const STEPS: &[Step] = &[
    Step {
        name: "launcher",
        open: Some("/lab?token=t"),
        act: "return document.title;",
        until: "document.querySelector('.jp-Launcher') !== null",
        compares_text: false,
    },
    Step {
        name: "upload",
        open: None,
        act: "const xsrf = document.cookie.match(/_xsrf=([^;]*)/)[1];
              const content = btoa('line\\n'.repeat(50000));
              const put = await fetch('/api/contents/lines.txt', {
                  method: 'PUT', headers: {'X-XSRFToken': xsrf, 'content-type': 'application/json'},
                  body: JSON.stringify({type: 'file', format: 'base64', content}),
              });
              const got = await fetch('/files/lines.txt');
              const text = await got.text();
              return [put.status, got.status, got.headers.get('content-type'), text.length];",
        until: "true",
        compares_text: false,
    },
    Step {
        name: "kernel over a WebSocket",
        open: None,
        act: "const xsrf = document.cookie.match(/_xsrf=([^;]*)/)[1];
              const made = await fetch('/api/kernels', {
                  method: 'POST', headers: {'X-XSRFToken': xsrf, 'content-type': 'application/json'}, body: '{}',
              });
              const kernel = await made.json();
              const url = location.origin.replace(/^http/, 'ws') + '/api/kernels/' + kernel.id + '/channels?session_id=s';
              const socket = new WebSocket(url);
              const answer = await new Promise((resolve) => {
                  setTimeout(() => resolve('no answer'), 40000);
                  socket.onerror = () => resolve('the socket broke');
                  socket.onclose = (event) => resolve('closed: ' + event.code);
                  socket.onopen = () => socket.send(JSON.stringify({
                      header: {msg_id: 'm', username: '', session: 's', msg_type: 'execute_request', version: '5.3'},
                      parent_header: {}, metadata: {}, channel: 'shell', buffers: [],
                      content: {code: '6 * 7', silent: false, store_history: false, user_expressions: {},
                          allow_stdin: false, stop_on_error: true},
                  }));
                  socket.onmessage = (event) => {
                      if (typeof event.data !== 'string') return;
                      const message = JSON.parse(event.data);
                      if (message.msg_type === 'execute_result') resolve(message.content.data['text/plain']);
                  };
              });
              socket.onclose = null;
              socket.close();
              await fetch('/api/kernels/' + kernel.id, {method: 'DELETE', headers: {'X-XSRFToken': xsrf}});
              return [made.status, answer];",
        until: "true",
        compares_text: false,
    },
];

pub(crate) fn application() -> Application {
    Application {
        name: "JupyterLab",
        needs: &["jupyter-lab"],
        version: &["jupyter-lab", "--version"],
        prepare: |_| Ok(()),
        start,
        steps: STEPS,
    }
}

fn start(directory: &Path, port: u16) -> Result<Vec<Program>, String> {
    let mut command = Command::new(tool("jupyter-lab"));
    command.args(["--no-browser", "--allow-root", "--ServerApp.port_retries=0", "--IdentityProvider.token=t"]);
    command.args([format!("--ServerApp.port={port}"), format!("--ServerApp.root_dir={}", directory.display())]);
    // Nothing that asks for news elsewhere.
    command.args(["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]);
    for variable in ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"] {
        command.env(variable, directory.join(format!(".{}", variable.to_lowercase())));
    }
    Ok(vec![Program::try_start(&mut command).map_err(|error| error.to_string())?])
}
