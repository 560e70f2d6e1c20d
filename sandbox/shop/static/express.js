// The wallet on the basket page. The basket changes without a new page, and the wallet with it.

let enabler;

async function ask(path, body) {
  const answer = await fetch(`/express/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

async function show() {
  const place = document.getElementById("express");
  if (!place) return;
  const { bundle, processor, locale, amount, countries } = place.dataset;
  try {
    const { Enabler } = await import(bundle);
    enabler ??= new Enabler({ processorUrl: processor, locale });
    const builder = await enabler.createExpressBuilder("dropin");
    const component = builder.build({
      allowedCountries: countries.split(" "),
      initialAmount: JSON.parse(amount),
      onPayButtonClick: () => ask("session"),
      onShippingAddressSelected: (selected) => ask("address", selected),
      getShippingMethods: () => ask("rates"),
      onShippingMethodSelected: ({ shippingMethod }) => ask("rate", shippingMethod),
      onPaymentSubmit: (addresses) => ask("addresses", addresses),
      onComplete: completed,
    });
    await component.mount("#express");
  } catch {
    place.closest(".express").hidden = true; // checking out works without it
  }
}

function completed(result) {
  if (result.isSuccess) document.getElementById("placed").requestSubmit();
}

document.addEventListener("shop:swapped", show);
show();
