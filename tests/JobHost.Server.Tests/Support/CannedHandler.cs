using System.Net;
using System.Text;

namespace JobHost.Server.Tests.Support;

/// <summary>Answers that a test has written, one for each request in turn, and the requests.</summary>
internal sealed class CannedHandler(params CannedHandler.Reply[] replies) : HttpMessageHandler
{
    private int next;

    internal sealed record Reply(HttpStatusCode Status, string Json, string? RetryAfter = null);

    internal List<HttpRequestMessage> Requests { get; } = [];

    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        Requests.Add(request);
        var reply = replies[next++];
        var response = new HttpResponseMessage(reply.Status)
        {
            Content = new StringContent(
                reply.Json,
                Encoding.UTF8,
                (int)reply.Status < 400 ? "application/json" : "application/problem+json"
            ),
        };
        if (reply.RetryAfter is { } seconds)
        {
            response.Headers.Add("Retry-After", seconds);
        }
        return Task.FromResult(response);
    }
}
