using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using JobHost.Telemetry;

namespace JobHost.Server.Webhooks;

/// <summary>Posts events to one webhook, signed. Whatever the receiver does takes ten seconds at most.</summary>
internal sealed class WebhookSender : IDisposable
{
    internal const string EventIdHeader = "JobHost-Event-Id";
    internal const string TimestampHeader = "JobHost-Timestamp";
    internal const string SignatureHeader = "JobHost-Signature";

    private const int MaxProblem = 300;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ConnectionLife = TimeSpan.FromMinutes(2);

    private readonly Webhook hook;
    private readonly TimeProvider time;
    private readonly HttpClient client;

    internal WebhookSender(Webhook hook, TimeProvider time)
    {
        this.hook = hook;
        this.time = time;
        client = new(
            new SocketsHttpHandler
            {
                // A redirect could lead where the address itself may not.
                AllowAutoRedirect = false,
                // A proxy would look up the name by itself.
                UseProxy = false,
                UseCookies = false,
                PooledConnectionLifetime = ConnectionLife,
                ActivityHeadersPropagator = null,
                ConnectCallback = (context, cancellationToken) =>
                    PublicAddresses.ConnectAsync(context.DnsEndPoint, hook.AllowPrivateNetworks, cancellationToken),
            }
        )
        {
            Timeout = Bound,
        };
        client.DefaultRequestHeaders.UserAgent.Add(new("JobHost", JobHostMeter.Version));
    }

    /// <summary>Posts an event once.</summary>
    /// <returns>The status of the answer, where there was one, and why it was no success; null where it was.</returns>
    /// <exception cref="OperationCanceledException">The caller does not want to wait any longer.</exception>
    internal async Task<(int? Status, string? Problem)> SendAsync(
        long eventId,
        string body,
        CancellationToken cancellationToken
    )
    {
        var timestamp = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, hook.Url);
        request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json", "utf-8"));
        request.Headers.Add(EventIdHeader, eventId.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(TimestampHeader, timestamp);
        request.Headers.Add(SignatureHeader, $"v1={Sign(timestamp, body)}");
        try
        {
            // What it answers besides its status is of no use, and may be endless.
            using var response = await client.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                cancellationToken
            );
            return (
                (int)response.StatusCode,
                response.IsSuccessStatusCode ? null : $"It was answered with status {(int)response.StatusCode}."
            );
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"It was not answered within {Bound.TotalSeconds:0} s.");
        }
        catch (HttpRequestException problem)
        {
            return (null, Bounded(problem.InnerException as AddressRefusedException ?? (Exception)problem));
        }
    }

    public void Dispose() => client.Dispose();

    private string Sign(string timestamp, string body) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(hook.Secret, Encoding.UTF8.GetBytes($"{timestamp}.{body}")));

    private static string Bounded(Exception problem) =>
        problem.Message.Length <= MaxProblem ? problem.Message : problem.Message[..MaxProblem];
}
