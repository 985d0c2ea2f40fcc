using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace JobHost.Server.Tests.Support;

/// <summary>A server of the test's own that takes whatever is sent to it, on a real socket of loopback.</summary>
internal sealed class HttpReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<ReceivedRequest> received = new();

    private HttpReceiver(WebApplication app)
    {
        this.app = app;
    }

    internal string Url => app.Urls.Single();

    /// <summary>What was received, in order.</summary>
    internal IReadOnlyList<ReceivedRequest> Received => [.. received];

    /// <param name="answer">Answers a request; default: 200 without a body.</param>
    /// <param name="port">Default: any that is free.</param>
    internal static async Task<HttpReceiver> StartAsync(
        Func<ReceivedRequest, HttpContext, Task>? answer = null,
        int port = 0
    )
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        var receiver = new HttpReceiver(app);
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var request = new ReceivedRequest(
                context.Request.Method,
                context.Request.Path.Value!,
                context.Request.Headers.ToDictionary(
                    header => header.Key,
                    header => header.Value.ToString(),
                    StringComparer.OrdinalIgnoreCase
                ),
                body.ToArray()
            );
            receiver.received.Enqueue(request);
            await (answer?.Invoke(request, context) ?? Task.CompletedTask);
        });
        await app.StartAsync(ApiClient.Token);
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await app.StopAsync(atOnce.Token);
        await app.DisposeAsync();
    }
}

/// <summary>A request as it was received.</summary>
internal sealed record ReceivedRequest(
    string Method,
    string Path,
    IReadOnlyDictionary<string, string> Headers,
    byte[] Body
);
