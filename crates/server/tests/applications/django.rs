//! Django with its admin: forms, sessions, CSRF tokens, an upload, and what was uploaded.

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::Program;

use super::application::{Application, Step, run, tool};

const SETTINGS: &str = "
DEBUG = False
ALLOWED_HOSTS = ['*']
SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')
INSTALLED_APPS += ['library']
MEDIA_ROOT = BASE_DIR / 'media'
MEDIA_URL = '/media/'
SECRET_KEY = 'the same in each run'
";

const MODELS: &str = "
from django.contrib import admin
from django.db import models


class Document(models.Model):
    title = models.CharField(max_length=100)
    file = models.FileField(upload_to='documents')

    def __str__(self):
        return self.title


admin.site.register(Document)
";

const URLS: &str = "
from django.conf import settings
from django.contrib import admin
from django.urls import path, re_path
from django.views.static import serve

urlpatterns = [
    path('admin/', admin.site.urls),
    re_path(r'^media/(?P<path>.*)$', serve, {'document_root': settings.MEDIA_ROOT}),
]
";

const STEPS: &[Step] = &[
    Step {
        name: "login page",
        open: Some("/admin/"),
        act: "return [document.title, location.pathname, location.search];",
        until: "document.querySelector('#id_password') !== null",
        compares_text: true,
    },
    Step {
        name: "wrong password",
        open: None,
        act: "id_username.value = 'admin'; id_password.value = 'wrong';
              setTimeout(() => document.querySelector('#login-form').submit(), 0); return null;",
        until: "document.querySelector('.errornote') !== null",
        compares_text: true,
    },
    Step {
        name: "login",
        open: None,
        act: "id_username.value = 'admin'; id_password.value = 'secret';
              setTimeout(() => document.querySelector('#login-form').submit(), 0); return null;",
        until: "location.pathname === '/admin/' && document.querySelector('#user-tools') !== null",
        compares_text: true,
    },
    Step {
        name: "form with an upload",
        open: Some("/admin/library/document/add/"),
        act: "id_title.value = 'A title';
              const chosen = new DataTransfer();
              chosen.items.add(new File(['line\\n'.repeat(50000)], 'lines.txt', {type: 'text/plain'}));
              id_file.files = chosen.files;
              setTimeout(() => document.querySelector('#document_form').submit(), 0); return null;",
        until: "location.pathname === '/admin/library/document/' && document.querySelector('.messagelist') !== null",
        compares_text: true,
    },
    Step {
        name: "what was uploaded",
        open: None,
        act: "const response = await fetch('/media/documents/lines.txt');
              const text = await response.text();
              return [response.status, response.headers.get('content-type'), text.length, text.slice(-10)];",
        until: "true",
        compares_text: false,
    },
    Step {
        name: "change form",
        open: Some("/admin/library/document/1/change/"),
        act: "return document.querySelector('.file-upload a').textContent;",
        until: "document.querySelector('#document_form') !== null",
        compares_text: true,
    },
    Step {
        name: "not found",
        open: Some("/nowhere/"),
        act: "return performance.getEntriesByType('navigation')[0].responseStatus;",
        until: "document.readyState === 'complete'",
        compares_text: true,
    },
    Step {
        name: "refused without its token",
        open: None,
        act: "const response = await fetch('/admin/logout/', {method: 'POST'}); return response.status;",
        until: "true",
        compares_text: false,
    },
];

pub(crate) fn application() -> Application {
    Application {
        name: "Django admin",
        needs: &["django-admin"],
        version: &["django-admin", "--version"],
        prepare,
        start,
        steps: STEPS,
    }
}

fn prepare(directory: &Path) -> Result<(), String> {
    run(Command::new(tool("django-admin")).args(["startproject", "site_of_tests", "."]).current_dir(directory))?;
    run(Command::new(tool("django-admin")).args(["startapp", "library"]).current_dir(directory))?;
    let settings = directory.join("site_of_tests/settings.py");
    let text = fs::read_to_string(&settings).map_err(|error| error.to_string())?;
    let write = |name: &str, text: &str| fs::write(directory.join(name), text).map_err(|error| error.to_string());
    write("site_of_tests/settings.py", &format!("{text}{SETTINGS}"))?;
    write("site_of_tests/urls.py", URLS)?;
    write("library/models.py", MODELS)?;
    let manage = |words: &[&str]| {
        let mut command = Command::new(tool("python"));
        command.arg("manage.py").args(words).current_dir(directory).env("DJANGO_SUPERUSER_PASSWORD", "secret");
        run(&mut command)
    };
    manage(&["makemigrations", "library"])?;
    manage(&["migrate"])?;
    manage(&["createsuperuser", "--noinput", "--username", "admin", "--email", "admin@a.example"])
}

fn start(directory: &Path, port: u16) -> Result<Vec<Program>, String> {
    let mut command = Command::new(tool("python"));
    // Its own server, which serves the files of the admin, too.
    command.args(["manage.py", "runserver", "--noreload", "--insecure", &format!("127.0.0.1:{port}")]);
    command.current_dir(directory).env("PYTHONUNBUFFERED", "1");
    Ok(vec![Program::try_start(&mut command).map_err(|error| error.to_string())?])
}
