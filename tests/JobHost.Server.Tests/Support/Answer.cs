using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace JobHost.Server.Tests.Support;

/// <summary>An answer with all that a client sees of it: status, headers, text.</summary>
public sealed record Answer(int Status, string Text, string? MediaType, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Body => JsonElement.Parse(Text);

    public string Id => Body.GetProperty("id").GetString()!;

    /// <summary>The fields that a problem complains about.</summary>
    public IReadOnlyList<string> Fields =>
        Body.TryGetProperty("errors", out var errors) ? [.. errors.EnumerateObject().Select(error => error.Name)] : [];

    /// <summary>A header, or null.</summary>
    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>Asserts the status and returns the body.</summary>
    public JsonElement Expect(int status)
    {
        Assert.True(Status == status, $"{Status} instead of {status}: {Text}");
        return Text.Length == 0 ? default : Body;
    }

    /// <summary>Asserts a problem document, with this slug where one is given.</summary>
    public JsonElement ExpectProblem(int status, string? slug = null)
    {
        var body = Expect(status);
        Assert.Equal("application/problem+json", MediaType);
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        Assert.Equal(status, body.GetProperty("status").GetInt32());
        Assert.False(string.IsNullOrEmpty(body.GetProperty("title").GetString()));
        var type = body.GetProperty("type").GetString()!;
        Assert.StartsWith("/problems/", type, StringComparison.Ordinal);
        if (slug is not null)
        {
            Assert.Equal($"/problems/{slug}", type);
        }
        return body;
    }
}

/// <summary>Requests whose whole answer matters.</summary>
public static class Answers
{
    public static Task<Answer> FetchAsync(
        this ApiClient api,
        string url,
        params (string Name, string Value)[] headers
    ) => api.CallAsync(HttpMethod.Get, url, null, headers);

    /// <param name="api">The client.</param>
    /// <param name="url">From the root of the server.</param>
    /// <param name="body">A string that is sent as JSON as it stands, an <see cref="HttpContent"/>, or an object.</param>
    /// <param name="headers">More headers.</param>
    public static Task<Answer> SubmitAsync(
        this ApiClient api,
        string url,
        object? body,
        params (string Name, string Value)[] headers
    ) => api.CallAsync(HttpMethod.Post, url, body, headers);

    /// <summary>Posts a start.</summary>
    public static Task<Answer> StartRunAsync(
        this ApiClient api,
        string job,
        object? body,
        params (string Name, string Value)[] headers
    ) => api.SubmitAsync($"/api/v1/jobs/{job}/runs", body, headers);

    public static async Task<Answer> CallAsync(
        this ApiClient api,
        HttpMethod method,
        string url,
        object? body,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, url);
        request.Content = body switch
        {
            null => null,
            HttpContent content => content,
            string json => new StringContent(json, Encoding.UTF8, "application/json"),
            _ => JsonContent.Create(body),
        };
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value), $"The header {name} cannot be sent.");
        }
        using var response = await api.Client.SendAsync(request, ApiClient.Token);
        var text = await response.Content.ReadAsStringAsync(ApiClient.Token);
        Contract.Note(request, response, text);
        return new(
            (int)response.StatusCode,
            text,
            response.Content.Headers.ContentType?.MediaType,
            response
                .Headers.Concat(response.Content.Headers)
                .ToDictionary(
                    header => header.Key,
                    header => string.Join(", ", header.Value),
                    StringComparer.OrdinalIgnoreCase
                )
        );
    }

    /// <summary>Ends a run by force, and waits until it is gone.</summary>
    public static async Task<JsonElement> StopAsync(this ApiClient api, string id)
    {
        await api.KillAsync(id);
        return await api.EndAsync(id);
    }

    /// <summary>How many runs are on record.</summary>
    public static async Task<int> CountRunsAsync(this ApiClient api)
    {
        var count = 0;
        string? token = null;
        do
        {
            var page = (
                await api.FetchAsync($"/api/v1/runs?pageSize=500{(token is null ? "" : $"&pageToken={token}")}")
            ).Expect(200);
            count += page.GetProperty("items").GetArrayLength();
            token = page.GetProperty("nextPageToken").GetString();
        } while (token is not null);
        return count;
    }
}
