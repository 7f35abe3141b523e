export async function POST(request) {
  const file = (await request.formData()).get('file');
  const response = Response.json({ name: file.name, size: file.size });
  response.headers.append('set-cookie', 'uploaded=1; Path=/; HttpOnly; SameSite=Lax');
  return response;
}
